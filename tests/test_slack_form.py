"""The form for people in Slack: by command, by shortcut, and beside customers on X."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from blocks.survey_form import MORE_OPTIONS_ACTION, SWITCH_NETWORK_ACTION
from blocks.survey_notifications import EDIT_ACTION
from csat.db.tables import opt_outs, surveys
from handlers import slack_customers
from sandbox.slack import ActionOutcome, Message, View, fixtures
from sandbox.x import Fault
from tests.world import (
    PRIVACY,
    World,
    change_settings,
    field_value,
    idle_world,
    running_app,
    running_world,
    visible_text,
)

SAM = f"<@{fixtures.SAM}>"
LINKS: dict[str, Any] = {"csat_public_url": "https://csat.northwind.example", "csat_public_port": 0}
SLACK_ALONE: dict[str, Any] = {"csat_transports": "slack"}


def customer_field(form: View) -> dict[str, str]:
    fields = (block["element"] for block in form.blocks if block["type"] == "input")
    return next(field for field in fields if field["action_id"] == "recipient")


def offered_transports(form: View) -> list[str]:
    fields = (block.get("element", {}) for block in form.blocks)
    return [
        option["value"]
        for field in fields
        if field.get("action_id") == "transport"
        for option in field["options"]
    ]


async def wait_for_form(world: World, text: str, gone: str = "nowhere") -> View:
    """Return Ada's form once it has a text and has lost another one."""

    def shown() -> View | None:
        view = world.workspace.current_view(fixtures.ADA)
        return view if view and text in visible_text(view) and gone not in visible_text(view) else None

    return await world.wait_until(shown)


@contextlib.asynccontextmanager
async def restarting(world: World, **others: Any) -> AsyncIterator[None]:
    """Run the app again, with other settings, until the block ends."""
    settings = change_settings(world.settings, **others)
    async with running_app(replace(world, settings=settings)):
        yield


async def open_by_shortcut(world: World, message: Message) -> View:
    await world.workspace.run_shortcut(fixtures.ADA, message.channel, message.ts, "send_survey")
    return await world.wait_for_form()


async def test_a_mention_opens_the_form_for_that_person_without_a_word_about_x(world: World) -> None:
    form = await world.open_form("/csat @sam", channel=fixtures.PARTNERS)

    assert customer_field(form)["type"] == "users_select"
    assert customer_field(form)["initial_user"] == fixtures.SAM
    assert not offered_transports(form)
    await world.show_options()
    text = visible_text((await world.wait_for_form()).blocks)
    assert "Don't ask me again" in text
    assert "What is your overall satisfaction with Northwind?" in text
    assert " X" not in text


async def test_questions_that_name_twitter_are_not_offered_to_people_in_slack(world: World) -> None:
    on_x = await world.open_form("/csat @mira_k", fixtures.CLEO)
    in_slack = await world.open_form("/csat @gus")

    assert "Twitter" in str(on_x.blocks)
    assert "Twitter" not in str(in_slack.blocks)


async def test_a_form_without_a_customer_is_switched_to_people_in_slack_and_keeps_what_was_typed(
    world: World,
) -> None:
    form = await world.open_form()
    assert customer_field(form)["type"] == "plain_text_input"
    await world.workspace.type_text(fixtures.ADA, "recipient", "@mira_k")
    await world.fill_in(message="Kept as typed")
    await world.workspace.click(fixtures.ADA, SWITCH_NETWORK_ACTION)
    form = await wait_for_form(world, "Ask a customer on X instead")
    assert customer_field(form)["type"] == "users_select"
    assert not offered_transports(form)
    await world.workspace.select(fixtures.ADA, "recipient", fixtures.GUS)
    await world.workspace.click(fixtures.ADA, SWITCH_NETWORK_ACTION)
    form = await wait_for_form(world, "Ask a person in Slack instead")
    assert field_value(form, "recipient") == "@mira_k"
    await world.workspace.click(fixtures.ADA, SWITCH_NETWORK_ACTION)
    form = await wait_for_form(world, "Ask a customer on X instead")
    assert customer_field(form)["initial_user"] == fixtures.GUS
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_dm("Kept as typed", fixtures.GUS)


async def test_a_form_opened_for_somebody_offers_only_what_reaches_them(tmp_path: Path) -> None:
    async with running_world(tmp_path, **LINKS) as world:
        await world.open_form("/csat @mira_k")
        assert offered_transports(await world.show_options()) == ["x_card", "x_link"]
        await world.open_form("/csat @gus", fixtures.BEN)
        assert not offered_transports(await world.show_options(fixtures.BEN))
        await world.open_form("/csat", fixtures.CLEO)
        assert offered_transports(await world.show_options(fixtures.CLEO)) == ["x_card", "x_link"]


async def test_without_slack_among_the_transports_people_in_slack_are_no_customers(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_transports="x_card") as world:
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @gus")
        await world.wait_for_message("That's somebody in Slack.")
        assert SWITCH_NETWORK_ACTION not in str((await world.open_form()).blocks)


async def test_with_slack_alone_a_handle_is_no_customer(tmp_path: Path) -> None:
    async with running_world(tmp_path, **SLACK_ALONE) as world:
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @mira_k")
        await world.wait_for_message("This app asks people in Slack. Type /csat @ and choose the customer")
        form = await world.open_form()

    assert customer_field(form)["type"] == "users_select"
    assert MORE_OPTIONS_ACTION in str(form.blocks)
    assert SWITCH_NETWORK_ACTION not in str(form.blocks)


@pytest.mark.parametrize(
    ("mention", "sentence"),
    [
        ("@ada", slack_customers.ONESELF),
        ("@helpdesk", slack_customers.AN_APP),
        ("@rui", slack_customers.STRANGER),
        ("@ben", slack_customers.DEACTIVATED),
    ],
)
async def test_who_can_be_no_customer_is_said_at_once_and_nothing_is_sent(
    world: World, mention: str, sentence: str
) -> None:
    world.workspace.users[fixtures.BEN].deleted = True
    form = await world.open_form(f"/csat {mention}")
    assert sentence in visible_text(form.blocks)
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.errors == {"person:0": sentence}
    assert not world.rows(surveys.c.id)


async def test_choosing_another_person_takes_the_sentence_away(world: World) -> None:
    await world.open_form("/csat @helpdesk")
    await world.workspace.select(fixtures.ADA, "recipient", fixtures.GUS)
    await wait_for_form(world, "", slack_customers.AN_APP)
    await world.workspace.select(fixtures.ADA, "recipient", fixtures.ADA)
    await wait_for_form(world, slack_customers.ONESELF)


async def test_a_person_whom_slack_does_not_describe_can_be_asked(world: World) -> None:
    await world.open_form("/csat @gus")  # now the agent is known
    await world.workspace.close_view(fixtures.ADA)
    world.workspace.faults.fail("users.info", "user_not_found")
    form = await world.open_form("/csat @sam", channel=fixtures.PARTNERS)

    assert customer_field(form)["initial_user"] == fixtures.SAM


async def test_the_shortcut_on_a_customer_s_message_asks_its_author(world: World) -> None:
    message = await world.workspace.post_message(
        fixtures.SAM, fixtures.PARTNERS, "case 17 is fine now, ask @joonas_ek"
    )
    form = await open_by_shortcut(world, message)

    assert customer_field(form)["initial_user"] == fixtures.SAM
    await world.workspace.click(fixtures.ADA, "use_customer:0")
    form = await wait_for_form(world, "Ask a person in Slack instead")
    assert field_value(form, "recipient") == "@joonas_ek"
    await world.workspace.click(fixtures.ADA, SWITCH_NETWORK_ACTION)
    form = await wait_for_form(world, "Ask a customer on X instead")
    assert customer_field(form)["initial_user"] == fixtures.SAM


async def test_the_shortcut_on_an_agent_s_message_asks_whom_it_names(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "please ask @joonas_ek")
    form = await open_by_shortcut(world, message)

    assert field_value(form, "recipient") == "@joonas_ek"


@pytest.mark.parametrize("author", [fixtures.ADA, fixtures.BEN])
async def test_the_shortcut_on_a_message_of_an_agent_who_names_nobody_asks_for_the_customer(
    tmp_path: Path, author: str
) -> None:
    async with running_world(tmp_path, **SLACK_ALONE) as world:
        message = await world.workspace.post_message(author, fixtures.SUPPORT, "who asks @joonas_ek?")
        form = await open_by_shortcut(world, message)

    assert "initial_user" not in customer_field(form)
    assert "This message names no customer. Choose them above" in visible_text(form.blocks)


async def test_a_colleague_who_is_no_agent_is_the_customer_of_their_message(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_agents=frozenset({fixtures.ADA})) as world:
        message = await world.workspace.post_message(
            fixtures.BEN, fixtures.SUPPORT, "my laptop works again, thanks"
        )
        form = await open_by_shortcut(world, message)

    assert customer_field(form)["initial_user"] == fixtures.BEN


async def test_submitting_the_form_sends_a_message_in_slack(world: World) -> None:
    result = await world.submit_survey("/csat @sam", channel=fixtures.PARTNERS)

    assert result.outcome is ActionOutcome.CLOSED
    await world.wait_for_dm("What is your overall satisfaction with Northwind?", fixtures.SAM)
    assert world.rows(surveys.c.transport, surveys.c.recipient_id, surveys.c.account) == [
        ("slack", f"{fixtures.TEAM}/{fixtures.SAM}", fixtures.TEAM)
    ]
    assert not world.x.feedbacks


async def test_a_guest_is_the_customer_of_their_message(world: World) -> None:
    message = await world.workspace.post_message(fixtures.GUS, fixtures.SUPPORT, "it works again")
    form = await open_by_shortcut(world, message)

    assert customer_field(form)["initial_user"] == fixtures.GUS


async def test_the_form_for_a_stranger_s_message_says_that_the_app_can_t_write_to_them(world: World) -> None:
    message = await world.workspace.post_message(fixtures.RUI, fixtures.AIRPORT, "belt 3 runs again")
    form = await open_by_shortcut(world, message)

    assert customer_field(form)["initial_user"] == fixtures.RUI
    assert slack_customers.STRANGER in visible_text(form)


async def test_a_customer_whom_slack_does_not_describe_is_the_author_of_their_message(world: World) -> None:
    message = await world.workspace.post_message(fixtures.SAM, fixtures.PARTNERS, "thanks")
    await world.open_form()  # now the agent is known
    await world.workspace.close_view(fixtures.ADA)
    world.workspace.faults.fail("users.info", "user_not_found", times=3)
    form = await open_by_shortcut(world, message)

    assert customer_field(form)["initial_user"] == fixtures.SAM


async def test_the_shortcut_says_before_sending_that_the_thread_may_see_an_invitation(world: World) -> None:
    hint = "they are asked in this thread"
    messages = world.workspace.messages(fixtures.PARTNERS, fixtures.ADA)
    in_thread = await open_by_shortcut(world, next(each for each in messages if each.user == fixtures.SAM))
    assert hint in visible_text(in_thread)
    await world.workspace.close_view(fixtures.ADA)

    by_command = await world.open_form("/csat @sam", channel=fixtures.PARTNERS)
    assert hint not in visible_text(by_command)


async def test_the_form_says_how_long_a_message_in_slack_may_be(world: World) -> None:
    await world.open_form("/csat @sam", channel=fixtures.PARTNERS)
    await world.fill_in(message="m" * 2_501)

    submitted = await world.workspace.submit_view(fixtures.ADA)
    assert submitted.errors["message"] == "Shorten the message to 2,500 characters; it has 2,501."


@pytest.mark.parametrize(
    ("before", "after", "command", "reason"),
    [
        ("x_card", "slack", "/csat @mira_k", "This app doesn't ask customers on X any more."),
        ("slack", "x_card", "/csat @sam", "This app doesn't ask people in Slack any more."),
        ("x_link", "x_card", "/csat @mira_k", "This app asks customers in another way now."),
    ],
)
async def test_a_form_that_was_open_while_the_transports_changed_says_so_and_sends_nothing(
    tmp_path: Path, before: str, after: str, command: str, reason: str
) -> None:
    async with idle_world(tmp_path, csat_transports=before, **LINKS) as world:
        for press in (partial(world.workspace.submit_view, fixtures.ADA), partial(choose_nps, world)):
            async with running_app(world):
                await world.open_form(command)
            async with restarting(world, csat_transports=after):
                await press()
                await wait_for_form(world, reason)
                await world.workspace.close_all_views(fixtures.ADA)

        assert world.rows(surveys.c.id) == []


async def test_a_form_that_tells_of_other_transports_can_be_sent_by_those(tmp_path: Path) -> None:
    async with idle_world(tmp_path, csat_transports="x_link", **LINKS) as world:
        async with running_app(world):
            await world.open_form("/csat @mira_k")
        async with restarting(world, csat_transports="x_card"):
            await world.workspace.submit_view(fixtures.ADA)
            await wait_for_form(world, "in another way now")
            await world.fill_in(privacy_url=PRIVACY)
            result = await world.workspace.submit_view(fixtures.ADA)

            assert result.outcome is ActionOutcome.CLOSED
            assert (await world.wait_for_feedback()).type == "csat"


async def test_a_refused_survey_whose_transport_is_gone_opens_with_a_word_about_that(tmp_path: Path) -> None:
    async with idle_world(tmp_path, csat_transports="x_card") as world:
        world.x.fail(Fault.LOOKS_AUTOMATED)
        async with running_app(world):
            await world.submit_survey()
            refused = await world.wait_for_message("Edit and try again")
        async with restarting(world, csat_transports="slack"):
            await world.workspace.click(fixtures.ADA, EDIT_ACTION, channel=refused.channel, ts=refused.ts)
            form = await wait_for_form(world, "This app doesn't ask customers on X any more.")

    assert customer_field(form)["type"] == "users_select"


async def test_a_customer_on_x_to_whom_a_survey_waits_can_still_opt_out_once_the_app_asks_in_slack_alone(
    tmp_path: Path,
) -> None:
    async with idle_world(tmp_path, csat_transports="x_card") as world:
        world.x.fail(Fault.OVER_CAPACITY)
        async with running_app(world):
            await world.submit_survey()
            await world.wait_for_waiting_message()
        async with restarting(world, csat_transports="slack"):
            await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
            status = visible_text(await world.wait_for_message("queued, asked by"))
            await world.open_form("/csat stop @mira_k They wrote: no more.")
            await world.workspace.submit_view(fixtures.ADA)
            world.x.recover()
            await world.advance(hours=1)
            await world.wait_until(lambda: world.states() == ["refused"])
            await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat @mira_k")
            await world.wait_for_message("This app asks people in Slack.", viewer=fixtures.BEN)

    assert "Your survey of" in status
    assert world.x.feedbacks == []


async def test_status_says_that_customers_on_x_are_not_asked_any_more(tmp_path: Path) -> None:
    async with idle_world(tmp_path, csat_transports="x_card") as world:
        async with running_app(world):
            await world.send_survey()
        async with restarting(world, csat_transports="slack"):
            await world.advance(days=8)
            await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
            status = await world.wait_for_message("This app doesn't ask customers on X any more.")

    assert "You can ask them now" not in visible_text(status)


@pytest.mark.parametrize("command", ["/csat stop @mira_k They said so.", "/csat status @mira_k"])
async def test_with_slack_alone_a_handle_that_was_never_asked_is_no_customer(
    tmp_path: Path, command: str
) -> None:
    async with running_world(tmp_path, **SLACK_ALONE) as world:
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, command)
        await world.wait_for_message("This app asks people in Slack.")

        assert world.workspace.current_view(fixtures.ADA) is None


async def test_a_person_in_slack_who_was_asked_can_still_opt_out_once_the_app_asks_on_x_alone(
    tmp_path: Path,
) -> None:
    async with idle_world(tmp_path, csat_transports="slack") as world:
        async with running_app(world):
            await world.submit_survey("/csat @gus")
            await world.wait_for_message("sent a survey to")
        async with restarting(world, csat_transports="x_card"):
            await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat stop @sam They said so.")
            await world.wait_for_message("That's somebody in Slack.")
            await world.open_form("/csat stop @gus They said so.")
            await world.workspace.submit_view(fixtures.ADA)
            await world.wait_until(lambda: len(world.rows(opt_outs.c.id)) == 1)


async def choose_nps(world: World) -> None:
    await world.workspace.select(fixtures.ADA, "metric", "nps")
