"""URLs below ``/accounts/``."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.LogInView.as_view(), name="login"),
    path("signup/", views.SignUpView.as_view(), name="signup"),
    path("guest/", views.GuestView.as_view(), name="guest"),
    path("logout/", views.LogOutView.as_view(), name="logout"),
]
