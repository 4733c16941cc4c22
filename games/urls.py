"""URLs of the lobby, the games and the replays, and of what an account's page does with games."""

from django.urls import path

from games import account, views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("events/", views.EventsView.as_view(), name="events"),
    path("games/new/", views.NewGameView.as_view(), name="new"),
    path("games/<uuid:game_id>/", views.GameView.as_view(), name="game"),
    path("games/<uuid:game_id>/state/", views.StateView.as_view(), name="state"),
    path("games/<uuid:game_id>/events/", views.EventsView.as_view(), name="game_events"),
    path("games/<uuid:game_id>/accept/", views.AcceptView.as_view(), name="accept"),
    path("games/<uuid:game_id>/decline/", views.DeclineView.as_view(), name="decline"),
    path("games/<uuid:game_id>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("games/<uuid:game_id>/resign/", views.ResignView.as_view(), name="resign"),
    path("games/<uuid:game_id>/rematch/", views.RematchView.as_view(), name="rematch"),
    path("games/<uuid:game_id>/move/", views.MoveView.as_view(), name="move"),
    path("accounts/export/", account.ExportView.as_view(), name="export"),
    path("accounts/delete/", account.DeleteView.as_view(), name="delete"),
    path("players/<str:name>/", views.PlayerView.as_view(), name="player"),
    path("replay/<str:moves>/", views.ReplayView.as_view(), name="replay"),
]
