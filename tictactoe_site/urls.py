"""All URLs of the site."""

from django.urls import include, path

from tictactoe_site import views

handler400 = views.bad_request
handler404 = views.not_found
handler500 = views.server_error

urlpatterns = [
    path("readyz/", views.ready, name="ready"),
    path("accounts/", include("accounts.urls")),
    path("", include("games.urls")),
]
