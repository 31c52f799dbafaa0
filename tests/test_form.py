"""The open form: its preview, its questions and its validation errors."""

from pathlib import Path

import pytest

from csat.settings import DEFAULT_MESSAGE
from sandbox.slack import ActionOutcome, View, fixtures
from tests.world import World, field_value, running_world, visible_text


def current_form(world: World) -> View:
    view = world.workspace.current_view(fixtures.ADA)
    assert view
    return view


def requested_paths(world: World) -> list[str]:
    """Return the paths of the requests to X, without the one at the start of the app."""
    return [call.path for call in world.x.requests if call.path != "/2/users/me"]


async def wait_for_text(world: World, text: str) -> View:
    """Wait until the form shows a text and return the view."""
    await world.wait_until(lambda: text in visible_text(current_form(world).blocks))
    return current_form(world)


async def test_the_preview_shows_message_question_and_scale(world: World) -> None:
    form = await world.open_form("/csat @mira_k")

    assert "What the customer will read" in visible_text(form.blocks)
    assert "How did we do?" in visible_text(form.blocks)
    assert "What is your overall satisfaction with Northwind?" in visible_text(form.blocks)
    assert "1   2   3   4   5" in visible_text(form.blocks)


async def test_the_preview_updates_with_type_question_name_and_message(world: World) -> None:
    await world.open_form("/csat @mira_k")

    await world.workspace.select(fixtures.ADA, "variant", "14")
    await wait_for_text(world, "How would you rate the ability to resolve your issue with Northwind?")
    await world.fill_in(display_name="Northwind Air")
    await wait_for_text(world, "resolve your issue with Northwind Air?")
    await world.fill_in(message="Dear Mira")
    await wait_for_text(world, "Dear Mira")
    await world.workspace.select(fixtures.ADA, "metric", "nps")
    form = await wait_for_text(world, "0   1   2   3   4   5   6   7   8   9   10")

    assert visible_text(form.blocks).count("X's newest chat may show NPS as just a number") == 1


async def test_typed_values_survive_changing_the_type_and_back(world: World) -> None:
    await world.open_form("/csat @mira_k")
    await world.workspace.select(fixtures.ADA, "variant", "33")
    await world.fill_in(display_name="Air", external_id="case_1", message="Hello", recipient="@sofie_l")
    await world.show_options()
    await world.workspace.select(fixtures.ADA, "test", ["test"])
    await world.workspace.select(fixtures.ADA, "metric", "nps")
    await wait_for_text(world, "0   1   2")
    await world.workspace.select(fixtures.ADA, "metric", "csat")
    await wait_for_text(world, "How would you rate your recent flight with Air?")
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()

    assert (feedback.type, feedback.question_variant_id, feedback.display_name) == ("csat", "33", "Air")
    assert (feedback.external_id, feedback.message, feedback.test) == ("case_1", "Hello", True)
    assert feedback.to_user_id == world.x.customer("sofie_l").id


def offered_questions(form: View) -> list[str]:
    menu = next(block for block in form.blocks if block["block_id"].startswith("variant"))
    return [option["value"] for option in menu["element"]["options"]]


async def test_the_form_offers_the_questions_that_the_team_uses_in_its_order(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_questions="csat: 14, 0") as world:
        form = await world.open_form("/csat @mira_k")
        assert offered_questions(form) == ["14", "0"]
        assert "the ability to resolve your issue with Northwind?" in visible_text(form.blocks)
        await world.workspace.submit_view(fixtures.ADA)
        assert (await world.wait_for_feedback()).question_variant_id == "14"


async def test_the_question_that_a_person_chose_last_is_their_next_default_for_its_type(
    tmp_path: Path, database_url: str
) -> None:
    async with running_world(tmp_path, database_url=database_url) as world:
        await world.open_form("/csat @mira_k")
        await world.workspace.select(fixtures.ADA, "variant", "14")
        await world.workspace.submit_view(fixtures.ADA)
        await world.open_form("/csat nps @sofie_l")
        await world.workspace.select(fixtures.ADA, "variant", "3")
        await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_feedback(2)

        form = await world.open_form("/csat @TomInTransit")
        assert "the ability to resolve your issue with Northwind?" in visible_text(form.blocks)
        await world.workspace.select(fixtures.ADA, "metric", "nps")
        await wait_for_text(world, "How would you rate the overall experience with Northwind?")
        form = await world.open_form("/csat @TomInTransit", fixtures.CLEO)
        assert "What is your overall satisfaction with Northwind?" in visible_text(form.blocks)


async def test_a_question_that_the_team_no_longer_uses_is_nobody_s_default(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.open_form("/csat @mira_k")
        await world.workspace.select(fixtures.ADA, "variant", "14")
        await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_message("sent a survey")
    async with running_world(tmp_path, csat_questions="csat: 33, 0") as world:
        form = await world.open_form("/csat @mira_k")

    assert "your recent flight with Northwind?" in visible_text(form.blocks)


@pytest.mark.parametrize("error", ["hash_conflict", "not_found", "500", "ratelimited"])
async def test_a_failed_preview_update_is_not_an_error(world: World, error: str) -> None:
    await world.open_form("/csat @mira_k")
    await world.show_options()
    world.workspace.faults.fail("views.update", error)
    await world.fill_in(message="Dear Mira")
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()

    assert feedback.message == "Dear Mira"
    await world.wait_for_message("sent a survey")
    assert len(world.app_messages()) == 1


@pytest.mark.parametrize("field", ["recipient", "display_name", "privacy_url", "external_id"])
async def test_enter_in_a_field_sends_nothing(world: World, field: str) -> None:
    await world.open_form("/csat @mira_k")
    await world.show_options()
    result = await world.workspace.press_enter(fixtures.ADA, field)

    assert result.outcome is ActionOutcome.ACKNOWLEDGED
    assert world.states() == []
    assert current_form(world)
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED


async def test_enter_after_a_customer_says_whether_they_can_be_asked(world: World) -> None:
    await world.send_survey("/csat @mira_k")
    await world.open_form("/csat")
    await world.fill_in(recipient="@mira_k")
    await world.workspace.press_enter(fixtures.ADA, "recipient")
    await wait_for_text(world, "Can't be asked until ")

    await world.fill_in(recipient="@sofie_l")
    await world.workspace.press_enter(fixtures.ADA, "recipient")
    await world.wait_until(lambda: "Can't be asked" not in visible_text(current_form(world).blocks))


async def test_customer_type_question_and_preview_are_seen_without_scrolling(world: World) -> None:
    form = await world.open_form("/csat @mira_k")
    labels = [visible_text(block.get("label", block)).partition("\n")[0] for block in form.blocks]

    assert labels == [
        "Customer",
        "Type",
        "Question",
        f"What the customer will read{DEFAULT_MESSAGE}",
        "More options",
    ]


async def test_more_options_keep_what_was_chosen_and_show_the_rest(world: World) -> None:
    await world.open_form("/csat nps @mira_k")
    await world.workspace.select(fixtures.ADA, "variant", "2")
    await world.fill_in(recipient="@sofie_l")
    form = await world.show_options()

    assert field_value(form, "recipient") == "@sofie_l"
    assert field_value(form, "variant") == "2"
    assert field_value(form, "message").startswith("Thank you for talking with us.")
    assert field_value(form, "display_name") == "Northwind"


async def test_a_form_that_hides_its_options_sends_what_they_usually_are(world: World) -> None:
    message = await world.workspace.post_message(fixtures.BEN, fixtures.SUPPORT, "@mira_k waits. Ticket 5555")
    await world.workspace.run_shortcut(fixtures.ADA, fixtures.SUPPORT, message.ts, "send_survey")
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()

    assert (feedback.display_name, feedback.external_id, feedback.test) == ("Northwind", "ticket_5555", False)
    assert feedback.message.startswith("Thank you for talking with us.")
    assert feedback.privacy_url == "https://northwind.example/privacy"


async def test_options_are_shown_at_once_if_one_of_them_must_be_filled_in(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_privacy_url="") as world:
        form = await world.open_form("/csat @mira_k")

    assert "Privacy policy URL" in visible_text(form.blocks)
    assert "More options" not in visible_text(form.blocks)


async def test_an_option_that_is_wrong_is_shown_with_what_to_do(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_message="Thanks!\a") as world:
        await world.open_form("/csat @mira_k")
        await world.workspace.submit_view(fixtures.ADA)
        form = current_form(world)
        assert "The message contains invisible characters. Type it again" in visible_text(form.blocks)
        await world.fill_in(message="Thanks!")
        await world.workspace.submit_view(fixtures.ADA)

        assert (await world.wait_for_feedback()).message == "Thanks!"


async def test_submitting_with_outdated_questions_updates_the_form_first(world: World) -> None:
    await world.open_form("/csat @mira_k")
    world.workspace.faults.fail("views.update", "500")
    await world.workspace.select(fixtures.ADA, "metric", "nps")
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.outcome is ActionOutcome.UPDATED
    assert "0   1   2" in visible_text(current_form(world).blocks)
    assert world.x.feedbacks == []

    await world.workspace.submit_view(fixtures.ADA)
    assert (await world.wait_for_feedback()).type == "nps"


async def test_all_errors_are_shown_at_once_under_their_fields(world: World) -> None:
    result = await world.submit_survey(
        recipient="@much_too_long_a_handle",
        display_name="x" * 21,
        message=" \n ",
        privacy_url="https://northwind.example/our|privacy",
        external_id="x" * 257,
    )

    assert result.outcome is ActionOutcome.ERRORS
    assert result.errors == {
        "recipient:0": "X handles have at most 15 characters; this one has 22.",
        "display_name": "Shorten the name to 20 characters; it has 21.",
        "message": "Write the message that the customer gets with the survey.",
        "privacy_url": "Enter a complete web address without spaces, like https://example.com/privacy.",
        "external_id": "Shorten the case number to 256 characters; it has 257.",
    }
    assert requested_paths(world) == []


@pytest.mark.parametrize(
    ("handle", "advice"),
    [
        ("@nobody_at_all", "There is no such customer on X"),
        ("@gone_gary", "X has suspended this customer's account"),
    ],
)
async def test_an_unknown_customer_is_reported_with_the_other_errors(
    world: World, handle: str, advice: str
) -> None:
    result = await world.submit_survey(recipient=handle, message=" ")

    assert result.errors["recipient:0"].startswith(advice)
    assert set(result.errors) == {"recipient:0", "message"}
    assert world.x.feedbacks == []


@pytest.mark.parametrize("name", ["handle", "id"])
async def test_a_brand_can_not_ask_its_own_account(world: World, name: str) -> None:
    own = getattr(world.x.account, name)
    told = "You can't send a survey to your own account on X. Choose the customer."
    result = await world.submit_survey(recipient=own)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, f"/csat status {own}")

    assert result.errors == {"recipient:0": told}
    await world.wait_for_message(told)


async def test_a_corrected_form_is_sent(world: World) -> None:
    await world.submit_survey(recipient="@nobody_at_all")
    await world.fill_in(recipient="https://x.com/mira_k")
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.outcome is ActionOutcome.CLOSED
    assert (await world.wait_for_feedback()).to_user_id == world.x.customer("mira_k").id


async def test_closed_direct_messages_cause_a_warning_and_resubmitting_sends(world: World) -> None:
    result = await world.submit_survey(recipient="@quiet_quinn", message="Kept")

    assert result.outcome is ActionOutcome.UPDATED
    for block in (current_form(world).blocks[1], current_form(world).blocks[-1]):
        assert "@quiet_quinn probably doesn't accept your direct messages" in visible_text(block)
    assert world.x.feedbacks == []

    await world.workspace.submit_view(fixtures.ADA)
    refusal = await world.wait_for_message("was not sent")
    assert "can't be messaged" in visible_text(refusal)


async def test_a_warning_about_one_customer_does_not_cover_another(world: World) -> None:
    await world.submit_survey(recipient="@quiet_quinn")
    world.x.customers.append(
        world.x.customer("quiet_quinn").__class__("99", "closed_too", "C", accepts_messages=False)
    )
    await world.fill_in(recipient="@closed_too")
    await world.workspace.submit_view(fixtures.ADA)

    assert "@closed_too probably doesn't accept your direct messages" in visible_text(
        current_form(world).blocks
    )


async def test_a_numeric_id_needs_no_lookup(world: World) -> None:
    await world.submit_survey(recipient=world.x.customer("mira_k").id)
    await world.wait_for_feedback()

    assert requested_paths(world) == ["/1.1/feedback/create.json"]


async def test_a_handle_is_looked_up_once_for_many_surveys(tmp_path: Path) -> None:
    async with running_world(tmp_path, csat_cooldown_days=0, csat_allowlist="@Mira_K") as world:
        world.x.allowlist.add("mira_k")
        for _ in range(3):
            await world.send_survey(recipient="@Mira_K")

    assert [call.path for call in world.x.requests].count("/2/users/by/username/mira_k") == 1


@pytest.mark.parametrize("text", ["<!channel> " * 200, "\u202egnihtemos\u202c", "a\u0000b"])
async def test_hostile_display_names_are_rejected(world: World, text: str) -> None:
    result = await world.submit_survey(display_name=text)

    assert result.outcome is ActionOutcome.ERRORS
    assert list(result.errors) == ["display_name"]
