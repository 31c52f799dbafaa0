import pytest

from tests.sandbox.x_kit import ApiClient


async def test_a_handle_is_found_ignoring_case() -> None:
    response = await ApiClient().get("/2/users/by/username/ADA_Travels")

    assert response.json() == {
        "data": {"id": "1820000000000000011", "name": "Ada Okafor", "username": "ada_travels"}
    }


async def test_the_account_is_found_by_its_handle() -> None:
    client = ApiClient()

    response = await client.get("/2/users/by/username/nimbusairhelp")

    assert response.json()["data"]["id"] == client.x.account.id


@pytest.mark.parametrize(("handle", "accepts_messages"), [("ada_travels", True), ("quiet_quinn", False)])
async def test_receives_your_dm_is_returned_on_request(handle: str, *, accepts_messages: bool) -> None:
    params = {"user.fields": "receives_your_dm,verified"}

    response = await ApiClient().get(f"/2/users/by/username/{handle}", **params)

    assert response.json()["data"]["receives_your_dm"] is accepts_messages


@pytest.mark.parametrize("status", [200, 404])
async def test_an_unknown_handle_has_errors_and_no_data(status: int) -> None:
    client = ApiClient()
    client.x.unknown_handles_return_404 = status == 404

    response = await client.get("/2/users/by/username/nobody")

    assert response.status_code == status
    assert "data" not in response.json()
    assert response.json()["errors"][0]["title"] == "Not Found Error"
    assert response.json()["errors"][0]["detail"] == "Could not find user with username: [nobody]."


async def test_a_suspended_user_has_errors_and_no_data() -> None:
    response = await ApiClient().get("/2/users/by/username/gone_gary")

    assert response.status_code == 200
    assert "data" not in response.json()
    assert response.json()["errors"][0]["title"] == "Forbidden"
    assert response.json()["errors"][0]["detail"] == "User has been suspended: [gone_gary]."


@pytest.mark.parametrize(
    ("handle", "params"),
    [
        ("sixteen_letters_", {}),
        ("with-hyphen", {}),
        ("ada_travels", {"user.fields": "shoe_size"}),
        ("ada_travels", {"user.fields": ""}),
        ("ada_travels", {"expansions": "pinned_tweet_id"}),
    ],
)
async def test_an_invalid_lookup_is_400(handle: str, params: dict[str, str]) -> None:
    response = await ApiClient().get(f"/2/users/by/username/{handle}", **params)

    assert response.status_code == 400
    assert response.json()["title"] == "Invalid Request"


async def test_a_user_is_found_by_id() -> None:
    client = ApiClient()
    customer, account = client.x.customer("ada_travels"), client.x.account

    found = [(await client.get(f"/2/users/{user.id}")).json()["data"] for user in (customer, account)]

    assert [user["username"] for user in found] == ["ada_travels", "NimbusAirHelp"]


async def test_an_unknown_id_has_errors_and_no_data() -> None:
    response = await ApiClient().get("/2/users/5")

    assert "data" not in response.json()
    assert response.json()["errors"][0]["detail"] == "Could not find user with id: [5]."


async def test_me_is_the_account_of_the_token() -> None:
    client = ApiClient()

    response = await client.get("/2/users/me")

    assert response.json() == {
        "data": {"id": client.x.account.id, "name": "Nimbus Air", "username": "NimbusAirHelp"}
    }
