"""URLs below ``/accounts/``. Those that need games are in ``games.urls``."""

from django.urls import path

from accounts import account, views

urlpatterns = [
    path("login/", views.LogInView.as_view(), name="login"),
    path("signup/", views.SignUpView.as_view(), name="signup"),
    path("guest/", views.GuestView.as_view(), name="guest"),
    path("logout/", views.LogOutView.as_view(), name="logout"),
    path("account/", account.AccountView.as_view(), name="account"),
    path("password/", account.PasswordView.as_view(), name="password"),
    path("everywhere/", account.EverywhereView.as_view(), name="everywhere"),
    path("block/", account.BlockView.as_view(), name="block"),
]
