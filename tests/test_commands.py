"""The slash command and the message shortcut: what they prefill and who may use them."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.slack import SlackError, fixtures
from tests.timeouts import GENEROUS
from tests.world import WITHOUT_X, World, field_value, is_running, running_world, visible_text


@pytest.mark.parametrize(
    ("text", "metric", "recipient"),
    [
        ("/csat", "csat", ""),
        ("/csat @mira_k", "csat", "@mira_k"),
        ("/csat 783214", "csat", "783214"),
        ("/csat @783214", "csat", "@783214"),
        ("/csat nps @mira_k", "nps", "@mira_k"),
        ("/csat @mira_k NPS", "nps", "@mira_k"),
        ("/csat tomasberg", "csat", "@tomasberg"),
        ("/csat nps tomasberg", "nps", "@tomasberg"),
        ("/csat @reprot", "csat", "@reprot"),
        ("/csat @cancel", "csat", "@cancel"),
        ("/csat https://x.com/mira_k", "csat", "@mira_k"),
        ("/csat nps https://twitter.com/mira_k/status/17?s=20", "nps", "@mira_k"),
    ],
)
async def test_the_command_opens_a_prefilled_form(
    world: World, text: str, metric: str, recipient: str
) -> None:
    form = await world.open_form(text)

    assert field_value(form, "metric") == metric
    assert field_value(form, "recipient") == recipient
    assert field_value(await world.show_options(), "display_name") == "Northwind"


@pytest.mark.parametrize("text", ["/csat help", "/csat HELP "])
async def test_help_lists_every_usage_in_an_ephemeral_message(world: World, text: str) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)
    reply = await world.wait_for_message("asks a customer")

    assert reply.visible_to == fixtures.ADA
    for usage in (
        "/csat",
        "/csat @person",
        "/csat @handle",
        "/csat 783214",
        "/csat nps @customer",
        "/csat https://x.com/handle",
    ):
        assert usage in visible_text(reply)


async def test_help_of_an_app_with_slack_alone_has_no_word_about_x(tmp_path: Path) -> None:
    async with running_world(tmp_path, **WITHOUT_X) as world:
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")
        reply = visible_text(await world.wait_for_message("asks a customer in Slack how you did"))

    assert "/csat nps @person" in reply
    assert "/csat status @person" in reply
    assert not [word for word in ("on X", "@handle", "x.com", "783214") if word in reply]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/csat @mira_k", "This app asks people in Slack. Type /csat @ and choose the customer"),
        ("/csat reprot", "There's no “reprot”. Did you mean /csat report? See /csat help."),
        ("/csat mira!", "I don't understand “mira!”. Try /csat @person, or /csat help."),
        ("/csat start", "To open the form, type /csat or /csat @person. See /csat help."),
        ("/csat stop @mira_k", "This app asks people in Slack. Type /csat stop @ and choose the customer"),
    ],
)
async def test_a_command_that_an_app_with_slack_alone_does_not_understand(
    tmp_path: Path, text: str, problem: str
) -> None:
    async with running_world(tmp_path, **WITHOUT_X) as world:
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)
        reply = await world.wait_for_message(problem)

        assert "handle" not in visible_text(reply)
        assert world.workspace.current_view(fixtures.ADA) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/csat reprot", "There's no “reprot”. Did you mean /csat report? For a handle, put @ in front."),
        ("/csat statsu @mira_k", "There's no “statsu”. Did you mean /csat status @mira_k?"),
        ("/csat stpo @mira_k", "There's no “stpo”. Did you mean /csat stop @mira_k?"),
        ("/csat untsop @mira_k", "There's no “untsop”. Did you mean /csat unstop @mira_k?"),
        ("/csat nsp @mira_k", "There's no “nsp”. Did you mean /csat nps @mira_k?"),
        ("/csat @mira_k stop", "Did you mean /csat stop @mira_k?"),
        ("/csat mira!", "I don't understand “mira!”. Try /csat @customer, or /csat help."),
        ("/csat @Sam Adeyemi", "or /csat help. To name somebody in Slack, choose them from the list"),
        (
            "/csat stop mira_k she asked",
            "“mira_k”. Try /csat stop @customer. For a handle, put @ in front.",
        ),
        ("/csat @mira_k @tom", "Name one customer at a time"),
        ("/csat nps csat @mira_k", "Choose one type"),
        ("/csat @😀", "X handles contain only letters"),
        ("/csat 1234567890123456789012345", "not an X ID"),
        ("/csat optout @mira_k", "To stop surveys to a customer, type /csat stop @mira_k"),
        ("/csat @mira_k opt-out", "To stop surveys to a customer, type /csat stop @mira_k"),
        ("/csat BLOCK", "To stop surveys to a customer, type /csat stop @customer"),
        ("/csat cancel @mira_k", "There's no /csat cancel. A survey that waits has the button Cancel"),
        ("/csat cancel", "There's no /csat cancel. A survey that waits has the button Cancel"),
        ("/csat start", "There's no /csat start. To open the form, type /csat or /csat @customer."),
        ("/csat results", "For how customers answered, supervisors type /csat report."),
        ("/csat stats", "For a customer's surveys, type /csat status @customer."),
        ("/csat scores @mira_k", "For a customer's surveys, type /csat status @mira_k."),
    ],
)
async def test_a_command_that_is_not_understood_is_answered_with_one_sentence(
    world: World, text: str, problem: str
) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, text)
    reply = await world.wait_for_message(problem)

    assert reply.visible_to == fixtures.ADA
    assert "opens the survey form" not in visible_text(reply)
    assert visible_text(reply).count("/csat help") + visible_text(reply).count("put @ in front.") == 1
    assert world.workspace.current_view(fixtures.ADA) is None


async def test_other_customers_in_a_message_can_be_chosen_instead(world: World) -> None:
    text = "From <https://x.com/mira_k/status/9|Mira> to @sofie_l &amp; @TomInTransit: <https://acme.zendesk.com/agent/tickets/12|#12>"
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, text)
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    form = await world.wait_for_form()

    assert field_value(form, "recipient") == "@mira_k"
    assert field_value(await world.show_options(), "external_id") == "zendesk_12"
    assert "Use @sofie_l" in visible_text(form.blocks)
    assert "Use @TomInTransit" in visible_text(form.blocks)

    await world.fill_in(message="Kept as typed")
    await world.workspace.click(fixtures.ADA, "use_customer:1")
    await world.wait_until(lambda: "Use @mira_k" in visible_text(world.workspace.current_view(fixtures.ADA)))
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()

    assert feedback.to_user_id == world.x.customer("TomInTransit").id
    assert feedback.message == "Kept as typed"


async def test_the_brand_s_own_account_is_no_customer_in_a_message(world: World) -> None:
    await world.wait_until(lambda: not is_running("checking the X account"))
    text = "@nimbusairhelp my bag is lost! <https://x.com/mira_k/status/9|Mira>"
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, text)
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    form = await world.wait_for_form()

    assert field_value(form, "recipient") == "@mira_k"
    assert "Use @" not in visible_text(form.blocks)


async def test_an_offered_customer_replaces_a_typed_one(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k and @sofie_l")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.click(fixtures.ADA, "use_customer:0")
    await world.wait_until(lambda: "Use @mira_k" in visible_text(world.workspace.current_view(fixtures.ADA)))
    await world.fill_in(recipient="@TomInTransit", message="Hello")
    await world.wait_until(lambda: "Use @sofie_l" in visible_text(world.workspace.current_view(fixtures.ADA)))
    await world.workspace.click(fixtures.ADA, "use_customer:1")
    await world.wait_until(
        lambda: "Use @sofie_l" not in visible_text(world.workspace.view_stack(fixtures.ADA)[-1].blocks)
    )
    await world.workspace.submit_view(fixtures.ADA)

    assert (await world.wait_for_feedback()).to_user_id == world.x.customer("sofie_l").id


async def test_nulls_in_a_payload_are_accepted(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.close_view(fixtures.ADA)
    shortcut = next(d for d in world.workspace.deliveries if d.payload.get("type") == "message_action")
    world.workspace.deliveries.append(shortcut)
    sent = {**shortcut.payload["message"], "thread_ts": None}
    forged = await world.forge(message=sent, enterprise={"id": None}, is_enterprise_install=None)

    assert not forged.error
    assert world.find_message("Something went wrong") is None


async def test_a_message_without_a_case_number_leaves_it_empty_and_the_confirmation_names_none(
    world: World,
) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k is happy again")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    assert field_value(await world.show_options(), "external_id") == ""
    await world.workspace.submit_view(fixtures.ADA)
    confirmation = await world.wait_for_message("sent a survey to @mira_k")

    assert "Case number" not in visible_text(confirmation)
    assert (await world.wait_for_feedback()).external_id is None


async def test_a_reply_that_names_nobody_is_prefilled_from_the_start_of_its_thread_if_slack_shows_it(
    world: World,
) -> None:
    parent = await world.workspace.post_message(fixtures.CLEO, fixtures.SUPPORT, "@mira_k, ticket #5555")
    reply = await world.workspace.post_message(
        fixtures.BEN, fixtures.SUPPORT, "Solved, bag found.", thread_ts=parent.ts, broadcast=True
    )
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, reply.ts, "send_survey")
    form = await world.wait_for_form()

    assert field_value(form, "recipient") == "@mira_k"
    assert field_value(await world.show_options(), "external_id") == "ticket_5555"


async def test_a_reply_that_names_a_customer_is_not_prefilled_with_another_one(world: World) -> None:
    parent = await world.workspace.post_message(fixtures.CLEO, fixtures.SUPPORT, "@mira_k, ticket #5555")
    reply = await world.workspace.post_message(
        fixtures.BEN, fixtures.SUPPORT, "It was for @sofie_l", thread_ts=parent.ts, broadcast=True
    )
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, reply.ts, "send_survey")
    form = await world.wait_for_form()

    assert field_value(form, "recipient") == "@sofie_l"
    assert field_value(await world.show_options(), "external_id") == "ticket_5555"


async def test_a_message_without_a_customer_opens_the_form_with_an_empty_customer(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "mail bob@example.com")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    form = await world.wait_for_form()

    assert field_value(form, "recipient") == ""
    assert "This message names no customer. Paste a link to their profile on X above" in visible_text(
        form.blocks
    )


@pytest.mark.parametrize("text", ["/csat", "/csat @mira_k"])
async def test_the_command_does_not_mention_a_message_without_a_customer(world: World, text: str) -> None:
    form = await world.open_form(text)

    assert "names no customer" not in visible_text(form.blocks)


async def test_the_hint_about_a_missing_customer_disappears_once_one_is_typed(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "mail bob@example.com")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.fill_in(recipient="@mira_k", message="Hello")

    await world.wait_until(lambda: "names no" not in visible_text(world.workspace.current_view(fixtures.ADA)))


@pytest.mark.parametrize(
    "channel",
    [
        fixtures.SUPPORT,
        fixtures.ESCALATIONS,
        fixtures.LEADS,
        fixtures.LOUNGE,
        fixtures.ADA_AND_BEN,
        fixtures.PARTNERS,
    ],
)
async def test_the_command_works_in_any_conversation(world: World, channel: str) -> None:
    await world.submit_survey("/csat @mira_k", channel=channel)
    await world.wait_for_feedback()
    confirmation = await world.wait_for_message("sent a survey", channel)

    assert not confirmation.visible_to


async def test_a_reply_has_the_case_number_of_the_link_at_the_start_of_its_thread(world: World) -> None:
    link = "@mira_k <https://acme.zendesk.com/agent/tickets/5555|wrote>"
    parent = await world.workspace.post_message(fixtures.CLEO, fixtures.SUPPORT, link)
    reply = await world.workspace.post_message(
        fixtures.BEN, fixtures.SUPPORT, "Ticket 5555 is solved.", thread_ts=parent.ts, broadcast=True
    )
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, reply.ts, "send_survey")
    await world.wait_for_form()

    assert field_value(await world.show_options(), "external_id") == "zendesk_5555"


async def test_slack_rejects_the_command_in_threads(world: World) -> None:
    parent = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "Who?")

    with pytest.raises(SlackError):
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat", thread_ts=parent.ts)


async def test_guests_may_not_send_surveys(world: World) -> None:
    await world.workspace.run_command(fixtures.GUS, fixtures.SUPPORT, "/csat @mira_k")
    reply = await world.wait_for_message("Guests can't send surveys", viewer=fixtures.GUS)

    assert reply.visible_to == fixtures.GUS
    assert world.workspace.current_view(fixtures.GUS) is None


async def test_guests_may_not_see_a_customer_s_status(world: World) -> None:
    await world.workspace.run_command(fixtures.GUS, fixtures.SUPPORT, "/csat status @mira_k")

    await world.wait_for_message(
        "Only people who can send surveys can see whether a customer can be asked.", viewer=fixtures.GUS
    )


async def test_members_of_another_workspace_may_not_send_surveys(world: World) -> None:
    message = await world.workspace.post_message(fixtures.ADA, fixtures.PARTNERS, "@mira_k wants a word")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.PARTNERS, message.ts, "send_survey")
    await world.wait_for_form()
    await world.forge(user={"id": fixtures.SAM, "team_id": fixtures.OTHER_TEAM})
    reply = await world.wait_for_message("Only members of the workspace", fixtures.PARTNERS, fixtures.SAM)

    assert reply.visible_to == fixtures.SAM


@pytest.mark.parametrize("agents", [fixtures.ADA, fixtures.AGENTS, f"{fixtures.CLEO},{fixtures.AGENTS}"])
async def test_only_listed_users_and_user_groups_may_send_surveys(tmp_path: Path, agents: str) -> None:
    async with running_world(tmp_path, csat_agents=agents) as world:
        world.workspace.usergroups[fixtures.AGENTS].users.remove(fixtures.BEN)
        await world.open_form("/csat @mira_k")
        await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat @mira_k")
        reply = await world.wait_for_message("not on the list", viewer=fixtures.BEN)

    assert reply.visible_to == fixtures.BEN
    assert world.workspace.current_view(fixtures.BEN) is None


async def test_an_unknown_user_group_does_not_lock_out_the_other_agents(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_agents=f"S00DELETED,{fixtures.AGENTS}") as world:
        await world.open_form("/csat @mira_k")
        await world.workspace.run_command(fixtures.GUS, fixtures.SUPPORT, "/csat @mira_k")
        await world.wait_for_message("not on the list", viewer=fixtures.GUS)


async def test_surveys_are_denied_while_slack_cannot_confirm_the_user(world: World) -> None:
    world.workspace.faults.fail("users.info", "500")
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @mira_k")
    await world.wait_for_message("Slack can't confirm right now")

    await world.open_form("/csat @mira_k")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("expired_trigger_id", "took too long to open the form. Nothing was sent or changed. Try again."),
        ("ratelimited", "didn't open the form. Nothing was sent or changed. Try again in a minute."),
        ("internal_error", "didn't open the form. Nothing was sent or changed. Try again in a minute."),
        ("503", "didn't open the form. Nothing was sent or changed. Try again in a minute."),
        ("invalid_auth", "didn't open the form. Nothing was sent or changed. Tell an admin"),
        ("invalid_arguments", "didn't open the form. Nothing was sent or changed. Tell an admin"),
    ],
)
async def test_a_form_that_fails_to_open_is_reported_to_the_user(
    world: World, error: str, expected: str
) -> None:
    world.workspace.faults.fail("views.open", error)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @mira_k")
    reply = await world.wait_for_message(expected)

    assert reply.visible_to == fixtures.ADA


async def test_a_command_delivered_twice_opens_one_form_without_an_error(
    either_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = either_world
    world.workspace.faults.duplicate_deliveries = 1
    with caplog.at_level(logging.INFO, "handlers.modal_opening"):
        await world.open_form("/csat @mira_k")
        await world.wait_until(lambda: "exchanged_trigger_id" in caplog.text)
    world.workspace.faults.duplicate_deliveries = 0
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")
    await world.wait_for_message("asks a customer")

    assert len(world.app_messages()) == 1
    assert [r.levelname for r in caplog.records if "exchanged_trigger_id" in r.getMessage()] == ["INFO"]


async def test_help_delivered_twice_is_shown_twice(world: World) -> None:
    world.workspace.faults.duplicate_deliveries = 1
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")

    await world.wait_until(lambda: world.count_messages("asks a customer") == 2)


@pytest.mark.parametrize("timeouts", [replace(GENEROUS, slack_open_view=0.05)])
async def test_opening_the_form_times_out_before_the_trigger_expires(world: World) -> None:
    with world.workspace.faults.hold("views.open"):
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @mira_k")

        await world.wait_for_message("Slack is slow. If no form opened, try again.")


async def test_no_conversation_history_is_read(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey")

    allowed = {
        "auth.test",
        "apps.connections.open",
        "users.info",
        "views.open",
        "views.update",
        "conversations.info",
        "chat.postMessage",
    }
    assert {call.method for call in world.workspace.api_calls} <= allowed
