"""The verbs for organizations, stores and people: each refusal is one sentence."""

import re

import pytest

from buzon.desk import organizations, people, stores
from buzon.desk.assignment import hand_out
from buzon.desk.blocking import block_sender, blocked_among, unblock_sender
from buzon.desk.customers import add_customer
from buzon.desk.errors import DeskError
from buzon.desk.events import record
from buzon.desk.filing import file_letter
from buzon.desk.models import (
    Agent,
    Assignment,
    BlockedSender,
    Conversation,
    Customer,
    Message,
    Organization,
    Store,
    User,
)
from tests.desk import cast

pytestmark = pytest.mark.django_db


def refuses(sentence: str):
    return pytest.raises(DeskError, match=re.escape(sentence))


@pytest.fixture
def shop() -> Organization:
    return cast.organization("Lamps")


def test_an_installation_with_one_organization_never_names_it(shop: Organization) -> None:
    assert organizations.organization_named(None) == shop
    other = cast.organization("Chairs")
    assert organizations.organization_named("Chairs") == other
    with refuses("Say which organization is meant: --organization NAME. There are: Chairs, Lamps."):
        organizations.organization_named(None)
    with refuses("There is no organization 'Tables'. There are: Chairs, Lamps."):
        organizations.organization_named("Tables")


def test_without_an_organization_a_sentence_says_how_to_make_one() -> None:
    with refuses("There is no organization yet; `buzon organization add NAME` makes one."):
        organizations.organization_named(None)
    with refuses("There is no organization 'X'. There is none yet."):
        organizations.organization_named("X")


def test_wrong_organizations_are_refused(shop: Organization) -> None:
    add = organizations.add_organization
    for call, sentence in [
        (lambda: add(" Lamps "), "There is already an organization Lamps."),
        (lambda: add("  "), "An organization needs a name."),
        (lambda: add("x" * 201), "The name of an organization may have 200 characters at most."),
        (lambda: add("a\x00b"), "holds characters that cannot be shown."),
        (lambda: add("A", language="fr"), "The language must be one of en, es, not 'fr'."),
        (lambda: add("A", time_zone="Mars/Base"), "There is no time zone 'Mars/Base'"),
        (lambda: add("A", max_accounts=0), "needs at least one collection account"),
    ]:
        with refuses(sentence):
            call()
    made = add("Sillas", language="es", time_zone="Europe/Madrid", max_accounts=3)
    assert (made.language, made.time_zone, made.max_accounts) == ("es", "Europe/Madrid", 3)


def test_an_organization_is_suspended_and_resumed(shop: Organization) -> None:
    organizations.suspend_organization(shop)
    shop.refresh_from_db()
    since = shop.suspended_at
    assert since is not None
    organizations.suspend_organization(shop)
    assert shop.suspended_at == since
    organizations.resume_organization(shop)
    shop.refresh_from_db()
    assert shop.suspended_at is None


def test_an_organization_in_use_is_removed_only_once_suspended_and_then_whole(
    shop: Organization,
) -> None:
    other = cast.organization("Chairs")
    for one in (shop, other):
        store, group = stores.add_store(one, "Madrid"), cast.group(one)
        agent = cast.agent(one, group)
        people.add_administrator(one, email=f"admin@{one.name}.es", password="long enough")
        block_sender(one, "spam@x.es")
        customer = add_customer(one, addresses=["ana@x.es"], store=store, agent=agent)
        hand_out(cast.new_customer(one, store), group)
        original = cast.letter(one, store)
        message = file_letter(original, customer=customer, link={}).message
        file_letter(
            cast.letter(one, store, references=(original.message_id,)), customer=None, link={}
        )
        record("message_received", organization=one, message=message, agent=agent)
    with refuses("The organization Lamps has "):
        organizations.remove_organization(shop)
    assert Message.objects.filter(organization=shop).count() == 2
    organizations.suspend_organization(shop)
    organizations.remove_organization(shop)
    for model in (Organization, Store, Agent, User, Conversation, BlockedSender):
        assert model.objects.count() == 1
    for model in (Customer, Message, Assignment):
        assert model.objects.count() == 2


def test_an_empty_organization_is_removed_at_once(shop: Organization) -> None:
    people.add_administrator(shop, email="admin@x.es", password="long enough")
    organizations.remove_organization(shop)
    assert not User.objects.exists()


def test_stores_are_added_named_and_removed(shop: Organization) -> None:
    store = stores.add_store(shop, " Madrid  Centro ")
    assert stores.store_named(shop, "Madrid Centro") == store
    with refuses("There is already a store Madrid Centro."):
        stores.add_store(shop, "Madrid Centro")
    with refuses("There is no store 'Sevilla'. There is: Madrid Centro."):
        stores.store_named(shop, "Sevilla")
    with refuses("There is no store 'Madrid Centro'. There is none yet."):
        stores.store_named(cast.organization(), "Madrid Centro")
    stores.remove_store(store)
    assert not Store.objects.exists()


@pytest.mark.parametrize("what", ["customers", "letters"])
def test_a_store_in_use_is_not_removed(shop: Organization, what: str) -> None:
    store = stores.add_store(shop, "Madrid")
    if what == "customers":
        add_customer(shop, addresses=["ana@x.es"], store=store)
    else:
        file_letter(cast.letter(shop, store), customer=None, link={})
    with refuses(f"The store Madrid has {what}; move or remove them first, then the store."):
        stores.remove_store(store)
    assert Store.objects.exists()


def test_an_agent_is_made_with_groups_and_a_login_only_with_a_password(shop: Organization) -> None:
    group = cast.group(shop)
    eva = people.add_agent(shop, name="Eva", email="Eva@Shop.es", groups=[group])
    assert (eva.email, eva.status, eva.user, list(eva.groups.all())) == (
        "eva@shop.es", "free", None, [group],
    )  # fmt: skip
    leo = people.add_agent(shop, name="Leo", email="leo@shop.es", password="long enough")
    assert leo.user is not None
    assert leo.user.check_password("long enough")
    assert leo.user.role == "agent"
    assert people.agent_named(shop, "Eva") == people.agent_named(shop, "EVA@shop.es") == eva


def test_wrong_agents_are_refused_whole(shop: Organization) -> None:
    people.add_agent(shop, name="Eva", email="eva@shop.es", password="long enough")
    other, stranger = cast.organization(), cast.group(cast.organization())

    def add(name: str = "Leo", email: str = "leo@shop.es", **more: object) -> Agent:
        return people.add_agent(shop, name=name, email=email, **more)

    for call, sentence in [
        (lambda: add(name="Eva"), "There is already an agent Eva."),
        (lambda: add(email="EVA@shop.es"), "already an agent with the address eva@shop.es."),
        (lambda: add(email="leo"), "'leo' is not an e-mail address."),
        (lambda: add(email="x" * 250 + "@x.es"), "may have 254 characters at most."),
        (lambda: add(password="short"), "too short. It must contain at least 10 characters."),
        (lambda: add(groups=[stranger]), "belongs to another organization."),
        (
            lambda: people.add_agent(other, name="E", email="eva@shop.es", password="long enough"),
            "There is already a login with the address eva@shop.es.",
        ),
    ]:
        with refuses(sentence):
            call()
    assert Agent.objects.count() == User.objects.count() == 1
    with refuses("There is no agent 'Leo'. There is: Eva."):
        people.agent_named(shop, "Leo")
    with refuses("There is no agent 'Eva'."):
        people.agent_named(other, "Eva")


def test_r12_the_four_statuses_and_no_other(shop: Organization) -> None:
    eva = cast.agent(shop)
    for status in ("busy", "lunch", "break", "free"):
        people.set_status(eva, status)
        eva.refresh_from_db()
        assert eva.status == status
    with refuses("The status must be one of free, busy, lunch, break, not 'gone'."):
        people.set_status(eva, "gone")


def test_deactivating_ends_presence_and_the_login_and_can_be_undone(shop: Organization) -> None:
    eva = people.add_agent(shop, name="Eva", email="eva@shop.es", password="long enough")
    eva.heard_from()
    people.deactivate_agent(eva)
    eva.refresh_from_db()
    assert (eva.active, eva.is_present(), User.objects.get().is_active) == (False, False, False)
    people.reactivate_agent(eva)
    eva.refresh_from_db()
    assert (eva.active, User.objects.get().is_active) == (True, True)


def test_groups_are_joined_left_and_removed(shop: Organization) -> None:
    group, eva = people.add_group(shop, "Sales"), cast.agent(shop)
    with refuses("There is already a group Sales."):
        people.add_group(shop, "Sales")
    with refuses("There is no group 'X'. There is: Sales."):
        people.group_named(shop, "X")
    assert people.group_named(shop, "Sales") == group
    people.join_group(eva, group)
    given = hand_out(cast.new_customer(shop), group)
    people.leave_group(eva, group)
    with refuses(f"The agent {eva.name} is not in the group Sales."):
        people.leave_group(eva, group)
    people.remove_group(group)
    given.refresh_from_db()
    assert (given.group, given.agent) == (None, eva)


def test_the_last_administrator_stays(shop: Organization) -> None:
    ana = people.add_administrator(shop, email="Ana@Shop.es", password="long enough")
    assert ana.email == "ana@shop.es"
    with refuses("There is already a login with the address ana@shop.es."):
        people.add_administrator(shop, email="ana@shop.es", password="long enough")
    with refuses("ana@shop.es is the last administrator; add another one first."):
        people.remove_administrator(ana)
    eva = people.add_administrator(shop, email="eva@shop.es", password="long enough")
    assert list(people.administrators(shop)) == [ana, eva]
    people.remove_administrator(ana)
    assert list(people.administrators(shop)) == [eva]
    people.change_password(eva, "another one")
    eva.refresh_from_db()
    assert eva.check_password("another one")
    with refuses("at least 10 characters"):
        people.change_password(eva, "short")


def test_senders_and_domains_are_blocked_within_their_organization(shop: Organization) -> None:
    for written in ("Spam@X.es", "@bulk.ÑANDÚ.es", "Junk.es", "spam@x.es"):
        block_sender(shop, written)
    patterns = sorted(BlockedSender.objects.values_list("pattern", flat=True))
    assert patterns == ["@bulk.xn--and-6ma2c.es", "@junk.es", "spam@x.es"]
    asked = ["spam@x.es", "ana@x.es", "a@junk.es", "a@sub.junk.es", "b@bulk.xn--and-6ma2c.es", ""]
    assert blocked_among(shop.pk, asked) == {
        "spam@x.es", "a@junk.es", "b@bulk.xn--and-6ma2c.es",
    }  # fmt: skip
    assert blocked_among(cast.organization().pk, asked) == set()
    unblock_sender(shop, "JUNK.es")
    with refuses("@junk.es is not blocked."):
        unblock_sender(shop, "junk.es")
    for wrong in ("", "@", "a b", "a b@x.es", "@.es"):
        with refuses("is neither an e-mail address nor a domain."):
            block_sender(shop, wrong)
