"""The contract that tools outside this project rely on: each route, command and configuration key, and a test of it.

A new one without a row fails here. What is planned is listed as missing, and fails once it exists without a test.
"""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from tictactoe_site.config import BASE_DIR, KEYS

ROUTES = {
    "GET /": "test_lobby.test_each_game_is_in_its_list",
    "GET /events/": "live.test_streams.test_lobby_stream_follows_own_games",
    "GET /readyz/": "test_http.test_readyz_is_200_when_table_answers",
    "GET /healthz/": "test_http.test_healthz_is_200_for_any_host",
    "GET /accounts/login/": "test_accounts.test_login_and_signup_redirect_logged_in_player",
    "POST /accounts/login/": "test_accounts.test_player_can_log_in_from_another_browser",
    "GET /accounts/signup/": "test_accounts.test_login_and_signup_redirect_logged_in_player",
    "POST /accounts/signup/": "test_accounts.test_signup_with_taken_name_is_409",
    "POST /accounts/guest/": "test_accounts.test_guest_has_name_but_no_item",
    "POST /accounts/logout/": "test_accounts.test_logout_ends_session",
    "GET /accounts/account/": "test_account.test_page_shows_what_is_stored",
    "POST /accounts/password/": "test_account.test_new_password_ends_all_other_sessions",
    "POST /accounts/everywhere/": "test_account.test_logging_out_everywhere_ends_copied_cookies",
    "POST /accounts/block/": "test_account.test_blocked_players_invitations_are_hidden",
    "GET /accounts/export/": "test_account.test_export_holds_account_and_all_games",
    "POST /accounts/delete/": "test_account.test_deleted_account_loses_sessions_and_name",
    "GET /.well-known/change-password": "test_account.test_well_known_address_leads_to_the_form",
    "GET /privacy/": "test_account.test_privacy_page_is_there_for_everybody",
    "GET /games/new/": "test_invitations.test_anonymous_visitor_is_redirected_to_login_with_next",
    "POST /games/new/": "test_invitations.test_resubmitted_form_makes_one_game",
    "GET /games/<id>/": "test_moves.test_each_viewer_reads_the_right_result",
    "GET /games/<id>/state/": "test_state.test_matching_etag_is_304_until_game_changes",
    "GET /games/<id>/events/": "live.test_streams.test_move_is_pushed_to_opponent_and_spectator",
    "POST /games/<id>/accept/": "test_invitations.test_invited_player_sees_and_accepts_invitation",
    "POST /games/<id>/decline/": "test_invitations.test_declined_and_cancelled_invitations_are_404",
    "POST /games/<id>/cancel/": "test_invitations.test_cancel_after_accept_is_409_with_game",
    "POST /games/<id>/resign/": "test_endings.test_pages_say_who_resigned",
    "POST /games/<id>/rematch/": "test_rematch.test_rematch_over_http_costs_one_write_and_both_get_same_game",
    "POST /games/<id>/move/": "test_moves.test_move_is_answered_with_redirect_fragment_or_json",
    "GET /players/<name>/": "test_players.test_profile_shows_record_and_score_against_viewer",
    "GET /replay/<moves>/": "test_replay.test_replay_from_moves_needs_no_table",
}
COMMANDS = {
    "make run": "test_docs.test_documented_command_works",
    "make dynamodb-local": "test_dynamodb_local.test_listens_on_loopback_only",
    "make rehearse": "rehearsal.test_rehearsal.test_seed_walk_through_balancer",
    "play": "test_play.test_play_prints_url_and_that_games_are_in_memory",
    "create_table": "test_commands.test_concurrent_create_table_creates_one_table",
    "inspect_table": "test_commands.test_inspect_table_finds_no_differences_in_own_table",
    "list_games": "test_commands.test_list_games_by_player_and_status",
    "show_game": "test_commands.test_show_game_draws_the_board",
    "set_password": "test_renaming.test_operator_sets_a_forgotten_password",
    "rename_player": "test_renaming.test_rename_player_moves_account_games_and_records",
    "delete_player": "test_renaming.test_delete_player_ends_account_and_games",
    "iam_policy": "test_policy.test_site_policy_allows_exactly_what_the_site_calls",
    "bundle": "test_bundle.test_build_is_reproducible_from_another_clone",
    "launch_url": "test_launch_url.test_every_option_is_encoded_in_the_url",
}
CONFIGURATION = {
    "region": "test_config.test_seeds_file_loads_unchanged",
    "endpoint": "test_config.test_endpoint_forms_become_urls",
    "table": "test_policy.test_region_and_table_default_to_configuration",
    "access_key_id": "test_config.test_local_endpoint_gets_placeholder_credentials_unless_given",
    "secret_access_key": "test_config.test_repr_of_config_hides_secrets",
    "secret_key": "test_config.test_secrets_come_from_environment_or_file_or_both_if_equal",
    "secret_key_fallbacks": "test_rotation.test_signatures_stay_valid_across_adjacent_rotation_steps",
    "allowed_hosts": "test_play.test_config_file_sets_table_and_hosts",
    "https": "test_config.test_https_trusts_https_origins_of_allowed_hosts",
    "streams_per_process": "live.test_streams.test_streams_are_limited_per_process_and_address",
    "streams_per_address": "live.test_scale.test_stream_limits_are_503_with_reason",
}
TO_COME = {"smoke", "explain"}
# Answered by middleware, before any route.
WITHOUT_ROUTE = {"GET /healthz/"}
OURS = ("accounts", "beanstalk", "games")


def routes(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for each in patterns:
        path = prefix + re.sub(r"<(\w+:)?(?:\w+_)?(\w+)>", r"<\2>", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, path)
        else:
            view = getattr(each.callback, "view_class", None)
            methods = [name for name in ("get", "post") if hasattr(view, name)] if view else ["get"]
            yield from (f"{method.upper()} {path}" for method in methods)


def commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in OURS}


def test_each_route_has_a_test() -> None:
    assert set(routes(get_resolver().url_patterns)) | WITHOUT_ROUTE == ROUTES.keys()


def test_each_command_has_a_test() -> None:
    assert commands() == {name for name in COMMANDS if not name.startswith("make ")}


def test_each_configuration_key_has_a_test() -> None:
    assert KEYS.keys() == CONFIGURATION.keys()


def test_planned_is_not_there_yet() -> None:
    """When one of these exists, give it a test, and a row above."""
    assert TO_COME.isdisjoint({*routes(get_resolver().url_patterns), *commands()})


@pytest.mark.parametrize("name", sorted({*ROUTES.values(), *COMMANDS.values(), *CONFIGURATION.values()}))
def test_named_test_exists(name: str) -> None:
    *folders, module, function = name.split(".")
    tree = ast.parse(BASE_DIR.joinpath("tests", *folders, f"{module}.py").read_text())
    assert function in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
