"""The customers of a list, each once, with what Slack says of the people among them."""

from collections.abc import Iterable
from typing import NamedTuple

from cli.named_customers import name_customer
from cli.opt_out_csv import LineProblem, ListedCustomer
from cli.slack_customers import PeopleInSlack, UnknownWorkspace
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError
from csat.slack_api.member_existence import Problem
from csat.surveys.recipients import Recipient, SlackPerson

UNKNOWN_PERSON = (
    "Slack doesn't know this person. Is the ID mistyped? If they have only left, their opt-out holds once "
    "they are back: it is recorded with all others."
)


class ResolvedList(NamedTuple):
    """The customers to record, and the problems of lines."""

    customers: list[ListedCustomer]
    problems: list[LineProblem]
    remark: str
    """A sentence on customers who were not checked, or ""."""


async def resolve(listed: Iterable[ListedCustomer], people: PeopleInSlack) -> ResolvedList:
    """Return the customers with their workspaces; raises `CommandError` or `DatabaseError`."""
    customers: dict[str, ListedCustomer] = {}
    problems = []
    for customer in listed:
        try:
            recipient = await people.with_workspace(customer.recipient)
        except UnknownWorkspace as problem:
            problems.append(LineProblem(customer.line, str(problem)))
        else:
            customers.setdefault(_identify(recipient), customer._replace(recipient=recipient))
    persons = [each.recipient for each in customers.values() if isinstance(each.recipient, SlackPerson)]
    results = await people.look_up(persons)
    for id_, result in results.items():
        if result is Problem.NO_USER:
            line, recipient, *_ = customers[id_]
            problems.append(LineProblem(line, f"{name_customer(recipient)}: {UNKNOWN_PERSON}"))
    errors = [result for result in results.values() if isinstance(result, SlackError)]
    remark = (
        f"Whether Slack knows {len(errors):,} of the people was not checked: {explain(errors[0])}."
        if errors
        else ""
    )
    return ResolvedList(list(customers.values()), problems, remark)


def _identify(recipient: Recipient) -> str:
    return recipient.id or recipient.label.lower()
