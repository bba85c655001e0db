"""Agents, groups, logins and organizations changed later; each refusal is a sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import translation

from buzon.desk import organizations, people, stores
from buzon.desk.assignment import hand_out
from buzon.desk.blocking import block_sender, blocked_senders
from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, Membership, Organization, User
from tests.desk import cast

pytestmark = pytest.mark.django_db
PASSWORD = "long enough"


@contextmanager
def refuses(sentence: str, field: str = "name") -> Iterator[None]:
    with pytest.raises(DeskError, match=re.escape(sentence)) as refused:
        yield
    assert refused.value.field == field


@pytest.fixture
def shop() -> Organization:
    return cast.organization("Lamps")


def test_an_agent_is_changed_and_the_login_follows(shop: Organization) -> None:
    eva = people.add_agent(shop, name="Eva", email="eva@shop.es", password=PASSWORD)
    changed = people.change_agent(eva, name="Eva  Ruiz", email="RUIZ@shop.es", copies="assigned")
    assert (changed.name, changed.email, changed.email_copies) == (
        "Eva Ruiz", "ruiz@shop.es", "assigned",
    )  # fmt: skip
    assert User.objects.get().email == "ruiz@shop.es"
    people.change_agent(eva, name="eva ruiz", email="ruiz@shop.es", copies="none")
    eva.refresh_from_db()
    assert eva.name == "eva ruiz"


def test_wrong_changes_of_an_agent_change_nothing(shop: Organization) -> None:
    eva = people.add_agent(shop, name="Eva", email="eva@shop.es", password=PASSWORD)
    people.add_agent(shop, name="Leo", email="leo@shop.es")
    people.add_administrator(cast.organization(), email="boss@other.es", password=PASSWORD)

    def change(name: str = "Eva", email: str = "eva@shop.es", copies: str = "none") -> None:
        people.change_agent(eva, name=name, email=email, copies=copies)

    for call, sentence, field in [
        (lambda: change(name="LEO"), "There is already an agent Leo.", "name"),
        (lambda: change(name=" "), "An agent needs a name.", "name"),
        (lambda: change(email="leo@shop.es"), "already an agent with the address", "email"),
        (lambda: change(email="boss@other.es"), "already a login with the address", "email"),
        (lambda: change(email="x"), "'x' is not an e-mail address.", "email"),
        (lambda: change(copies="some"), "must be one of none, all, assigned", "copies"),
    ]:
        with refuses(sentence, field):
            call()
    assert (eva.name, eva.email) == ("Eva", "eva@shop.es")
    eva.refresh_from_db()
    assert (eva.name, eva.email, eva.user and eva.user.email) == (
        "Eva", "eva@shop.es", "eva@shop.es",
    )  # fmt: skip


def test_a_login_is_given_later_and_then_a_new_password(shop: Organization) -> None:
    eva = people.add_agent(shop, name="Eva", email="eva@shop.es")
    with refuses("at least 10 characters", "password"):
        people.give_login(eva, "short")
    login = people.give_login(eva, PASSWORD)
    assert (login.email, login.role, login.is_active) == ("eva@shop.es", "agent", True)
    assert people.give_login(eva, "another one") == login
    login.refresh_from_db()
    assert login.check_password("another one")
    people.add_administrator(cast.organization(), email="leo@shop.es", password=PASSWORD)
    leo = people.add_agent(shop, name="Leo", email="leo@shop.es")
    with refuses("There is already a login with the address leo@shop.es.", "email"):
        people.give_login(leo, PASSWORD)


def test_the_login_of_a_deactivated_agent_waits_for_the_agent(shop: Organization) -> None:
    eva = people.add_agent(shop, name="Eva", email="eva@shop.es")
    people.deactivate_agent(eva)
    people.give_login(eva, PASSWORD)
    assert not User.objects.get().is_active
    people.reactivate_agent(eva)
    assert User.objects.get().is_active


def test_an_administrator_answers_customers_too(shop: Organization) -> None:
    group = cast.group(shop)
    olga = people.add_administrator(shop, email="olga@shop.es", password=PASSWORD)
    agent = people.let_answer(olga, name="Olga", groups=[group])
    assert (agent.user, agent.email, list(agent.groups.all())) == (olga, "olga@shop.es", [group])
    with refuses("olga@shop.es answers customers already.", ""):
        people.let_answer(olga, name="Olga Two")
    stranger = cast.group(cast.organization())
    luz = people.add_administrator(shop, email="luz@shop.es", password=PASSWORD)
    with refuses("belongs to another organization.", "group"):
        people.let_answer(luz, name="Luz", groups=[stranger])
    with refuses("There is already an agent Olga."):
        people.let_answer(luz, name="olga")
    assert Agent.objects.count() == 1


def test_an_agent_with_an_administrators_address_is_the_one_who_answers(shop: Organization) -> None:
    before = people.add_agent(shop, name="Olga", email="olga@shop.es")
    people.deactivate_agent(before)
    olga = people.add_administrator(shop, email="olga@shop.es", password=PASSWORD)
    assert people.let_answer(olga, name="Olga Ruiz") == before
    before.refresh_from_db()
    assert (before.name, before.user, before.active) == ("Olga Ruiz", olga, True)


def test_deactivating_an_agent_leaves_the_administrator_in(shop: Organization) -> None:
    olga = people.add_administrator(shop, email="olga@shop.es", password=PASSWORD)
    agent = people.let_answer(olga, name="Olga")
    people.deactivate_agent(agent)
    olga.refresh_from_db()
    assert olga.is_active
    assert list(people.administrators(shop)) == [olga]


def test_a_removed_administrator_who_answers_goes_on_as_an_agent(shop: Organization) -> None:
    olga = people.add_administrator(shop, email="olga@shop.es", password=PASSWORD)
    luz = people.add_administrator(shop, email="luz@shop.es", password=PASSWORD)
    agent = people.let_answer(olga, name="Olga")
    people.remove_administrator(olga)
    agent.refresh_from_db()
    assert (agent.user, agent.user and agent.user.role) == (olga, "agent")
    assert list(people.administrators(shop)) == [luz]
    other = people.add_administrator(shop, email="sol@shop.es", password=PASSWORD)
    gone = people.let_answer(other, name="Sol")
    people.deactivate_agent(gone)
    people.remove_administrator(other)
    gone.refresh_from_db()
    assert gone.user is None
    assert not User.objects.filter(email="sol@shop.es").exists()


def test_groups_and_members_are_chosen_and_keep_their_turns(shop: Organization) -> None:
    sales, repairs = people.add_group(shop, "Sales"), people.add_group(shop, "Repairs")
    eva, leo = cast.agent(shop, sales), cast.agent(shop)
    hand_out(cast.new_customer(shop), sales)
    people.choose_groups(eva, [sales, repairs])
    assert Membership.objects.get(agent=eva, group=sales).last_turn == 1
    people.choose_members(repairs, [leo])
    assert [one.agent for one in Membership.objects.filter(group=repairs)] == [leo]
    people.choose_groups(eva, [])
    assert not Membership.objects.filter(agent=eva).exists()
    stranger = cast.organization()
    with refuses("belongs to another organization.", "group"):
        people.choose_groups(eva, [sales, cast.group(stranger)])
    with refuses("belongs to another organization.", "group"):
        people.choose_members(sales, [cast.agent(stranger)])
    with refuses("belongs to another organization.", "group"):
        more = {"email": eva.email, "copies": "all", "groups": [sales, cast.group(stranger)]}
        people.change_agent(eva, name="Eva Two", **more)
    eva.refresh_from_db()
    assert (eva.name == "Eva Two", eva.email_copies) == (False, "none")
    assert not Membership.objects.filter(agent=eva).exists()
    people.change_agent(eva, name="Eva Two", email=eva.email, copies="all", groups=[sales])
    assert [one.group for one in Membership.objects.filter(agent=eva)] == [sales]


def test_a_group_is_renamed_and_keeps_its_turn(shop: Organization) -> None:
    sales = people.add_group(shop, "Sales")
    people.add_group(shop, "Repairs")
    eva = cast.agent(shop, sales)
    seen_before = people.group_named(shop, "Sales")
    assert hand_out(cast.new_customer(shop), sales).agent == eva
    assert people.change_group(seen_before, name="SALES").name == "SALES"
    with refuses("There is already a group Repairs."):
        people.change_group(seen_before, name="repairs")
    sales.refresh_from_db()
    assert (sales.name, sales.turn, list(sales.members.all())) == ("SALES", 1, [eva])
    people.change_group(sales, name="Sales", agents=[])
    assert list(sales.members.all()) == []


def test_a_new_group_begins_with_its_members(shop: Organization) -> None:
    eva, leo = cast.agent(shop), cast.agent(shop)
    assert set(people.add_group(shop, "Sales", agents=[eva, leo]).members.all()) == {eva, leo}
    with refuses("belongs to another organization.", "group"):
        people.add_group(shop, "Repairs", agents=[cast.agent(cast.organization())])
    assert [group.name for group in shop.groups.all()] == ["Sales"]


def test_an_organization_is_changed(shop: Organization) -> None:
    cast.organization("Chairs")
    change = organizations.change_organization
    changed = change(shop, name="Lámparas", language="es", time_zone="Europe/Madrid")
    assert (changed.name, changed.language, changed.time_zone) == (
        "Lámparas", "es", "Europe/Madrid",
    )  # fmt: skip
    for fields, sentence, field in [
        ({"name": "chairs"}, "There is already an organization Chairs.", "name"),
        ({"language": "fr"}, "The language must be one of en, es", "language"),
        ({"time_zone": "Mars/Base"}, "There is no time zone", "time_zone"),
    ]:
        with refuses(sentence, field):
            change(shop, **({"name": "A", "language": "en", "time_zone": "UTC"} | fields))
    shop.refresh_from_db()
    assert shop.name == "Lámparas"


def test_a_store_is_renamed_and_refuses_in_both_languages(shop: Organization) -> None:
    store = stores.add_store(shop, "Madrid")
    stores.add_store(shop, "Sevilla")
    assert stores.rename_store(store, "MADRID").name == "MADRID"
    with refuses("There is already a store Sevilla."):
        stores.rename_store(store, "sevilla")
    with translation.override("es"), refuses("Ya hay una tienda Sevilla."):
        stores.rename_store(store, "sevilla")


def test_blocked_senders_are_listed_for_their_organization(shop: Organization) -> None:
    block_sender(cast.organization(), "other@x.es")
    for written in ("spam@x.es", "bulk.es"):
        block_sender(shop, written)
    assert [str(one) for one in blocked_senders(shop)] == ["@bulk.es", "spam@x.es"]
