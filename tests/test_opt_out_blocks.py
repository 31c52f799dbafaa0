import pytest

from blocks import opt_outs
from blocks.customer_status import CustomerStatus, status_message
from blocks.form_state import Form
from blocks.opt_outs import OptOutForm
from csat.surveys.limits import Denial
from csat.surveys.opt_outs import MAX_REASON_LENGTH, How, OptOut
from csat.surveys.recipients import XAccount
from tests.block_kit_checks import HOSTILE, check_literal, check_message, check_view
from tests.factories import LARGEST_ID, LONGEST_HANDLE, LONGEST_ORIGIN, NOON, make_draft
from tests.sample_messages import SURVEY_FORM

LABEL = f"@{LONGEST_HANDLE}"
OPT_OUT_FORM = OptOutForm(recipient=XAccount(handle=LONGEST_HANDLE, id=LARGEST_ID), origin=LONGEST_ORIGIN)


@pytest.mark.parametrize("reason", [*HOSTILE, '"' * MAX_REASON_LENGTH])
def test_reasons_are_shown_literally_within_slack_s_limits(reason: str) -> None:
    opt_out = OptOut(
        recorded_at=NOON, how=How.AGENT, team=LONGEST_ORIGIN.team, by=LONGEST_ORIGIN.requester, reason=reason
    )
    form = OPT_OUT_FORM.model_copy(update={"reason": reason})
    denial = Denial.from_opt_out(opt_out)
    survey_form = Form(draft=make_draft(recipient=LABEL), origin=LONGEST_ORIGIN).with_denial(denial)
    shown = (
        check_view(opt_outs.stop_modal(form)),
        check_view(opt_outs.lift_modal(form, opt_out)),
        check_message(opt_outs.already_stopped(OPT_OUT_FORM, opt_out)),
        check_message(
            status_message(CustomerStatus(XAccount(handle=LONGEST_HANDLE), (), denial), LONGEST_ORIGIN)
        ),
        check_view(SURVEY_FORM.build(survey_form))["blocks"][1],
    )

    for content in shown:
        check_literal(content, LONGEST_ORIGIN.requester, LABEL)
