"""All URLs of the site."""

from django.urls import include, path
from django.views.generic import TemplateView

from tictactoe_site import views

handler400 = views.bad_request
handler404 = views.not_found
handler500 = views.server_error

urlpatterns = [
    path("readyz/", views.ready, name="ready"),
    path("privacy/", TemplateView.as_view(template_name="privacy.html"), name="privacy"),
    path(".well-known/change-password", views.change_password),
    path("accounts/", include("accounts.urls")),
    path("", include("games.urls")),
]
