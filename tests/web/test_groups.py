"""Groups: whose turn is next and why (R10), members, and what was handed out."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from buzon.desk.assignment import hand_out
from buzon.desk.customers import add_customer
from buzon.desk.models import Agent, AgentGroup, Membership
from buzon.desk.people import add_agent, add_group, deactivate_agent
from buzon.intake.accounts import add_account
from buzon.intake.models import CollectionAccount
from tests.web.cast import Cast
from tests.web.test_agents import error_of

pytestmark = pytest.mark.django_db


def mailbox(cast: Cast, name: str, group: AgentGroup | None) -> CollectionAccount:
    return add_account(
        cast.shop, name=name, protocol="imap", host="imap.example.com",
        username=f"{name}@example.com", secret="s3cret!", group=group,
    )  # fmt: skip


def next_in(page: str) -> str:
    """What the page says of the next new customer."""
    return re.sub(r"\s+", " ", page.split("Next new customer</p>")[1].split("</div></div>")[0])


def test_r10_groups_are_listed_with_whose_turn_is_next_and_why(cast: Cast) -> None:
    cast.luis.heard_from()
    mailbox(cast, "pedidos", cast.group)
    add_group(cast.shop, "Vacío")
    page = cast.browser(cast.olga).get("/groups/").text
    full, empty = page.split("<section")[1:3]
    if "Vacío" in full:
        full, empty = empty, full
    for words in ("Ventas", "2 members", "Ana", "Luis", "pedidos", "signed in", "not signed in"):
        assert words in full
    assert "Luis" in next_in(full)
    assert "The only one who is Free and signed in." in next_in(full)
    assert "nobody" in next_in(empty)
    assert "The group Vacío has no active agents" in next_in(empty)
    assert "No incoming mailbox uses it yet." in empty


@pytest.mark.parametrize(
    ("present", "status", "name", "why"),
    [
        (["ana", "luis"], "free", "Ana", "Of the 2 who are Free and signed in"),
        (["luis"], "free", "Luis", "The only one who is Free and signed in."),
        (["luis"], "busy", "Ana", "Nobody is Free and signed in; of all 2"),
        ([], "free", "Ana", "Nobody is Free and signed in; of all 2"),
    ],
)
def test_r10_free_and_signed_in_first_else_the_rest(
    cast: Cast, present: list[str], status: str, name: str, why: str
) -> None:
    for agent in (cast.ana, cast.luis):
        if agent.name.lower() in present:
            agent.heard_from()
            agent.set_status(Agent.Status(status))
    page = cast.browser(cast.olga).get(f"/groups/{cast.group.pk}").text
    assert name in next_in(page)
    assert why in next_in(page)
    given = hand_out(add_customer(cast.shop, addresses=["eva@example.com"]), cast.group)
    assert given.agent is not None
    assert given.agent.name == name


def test_r10_a_group_shows_turns_hand_outs_and_what_comes(cast: Cast) -> None:
    for agent in (cast.ana, cast.luis):
        agent.heard_from()
    account = mailbox(cast, "pedidos", cast.group)
    customers = [add_customer(cast.shop, addresses=[f"c{n}@example.com"]) for n in range(3)]
    for customer in customers:
        hand_out(customer, cast.group)
    page = cast.browser(cast.olga).get(f"/groups/{cast.group.pk}").text
    members = page.split('id="members"')[1].split("</section>")[0]
    assert re.findall(r'id="member-\d+"[^>]*>(\w+)<', members) == ["Luis", "Ana"]
    assert re.findall(r"turn \d", members) == ["turn 2", "turn 3"]
    handed_out = page.split('id="handed-out"')[1].split("</section>")[0]
    assert re.findall(r"turn \d", handed_out) == ["turn 3", "turn 2", "turn 1"]
    for words in ("c2@example.com", "Free and signed in, next in turn of 2"):
        assert words in handed_out
    ahead = page.split('id="ahead"')[1].split("</section>")[0]
    assert "If 10 new customers wrote now" in ahead
    assert re.findall(r"<dt>(\w+)</dt><dd>(\d+)</dd>", ahead) == [("Luis", "5"), ("Ana", "5")]
    assert f'href="/collection-accounts/{account.pk}"' in page


def test_an_open_page_asks_for_what_changes_alone(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    one = browser.get(f"/groups/{cast.group.pk}", headers={"hx-request": "true"}).text
    assert "<html" not in one
    assert 'id="group"' in one
    every = browser.get("/groups/", headers={"hx-request": "true"}).text
    assert "<html" not in every
    assert 'id="groups"' in every


def test_a_group_is_added_with_members_renamed_and_left(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    typed = {"name": "Reparaciones", "agents": [cast.ana.pk, cast.luis.pk]}
    page = browser.post("/groups/new", typed, follow=True)
    assert "Added the group Reparaciones." in page.text
    added = AgentGroup.objects.get(name="Reparaciones")
    assert set(added.members.all()) == {cast.ana, cast.luis}
    form = browser.get(f"/groups/{added.pk}/change").text
    assert form.count(" checked") == 2
    typed = {"name": "Taller", "agents": [cast.luis.pk]}
    page = browser.post(f"/groups/{added.pk}/change", typed, follow=True)
    assert "Changed the group Taller." in page.text
    assert list(added.members.all()) == [cast.luis]


def test_who_stays_keeps_the_turn(cast: Cast) -> None:
    hand_out(add_customer(cast.shop, addresses=["eva@example.com"]), cast.group)
    typed = {"name": "Ventas", "agents": [cast.ana.pk, cast.luis.pk]}
    cast.browser(cast.olga).post(f"/groups/{cast.group.pk}/change", typed)
    assert Membership.objects.get(agent=cast.ana, group=cast.group).last_turn == 1


def test_deactivated_members_say_so_and_others_are_not_offered(cast: Cast) -> None:
    gone = add_agent(cast.shop, name="Nuria", email="nuria@olivo.example")
    for agent in (cast.luis, gone):
        deactivate_agent(agent)
    form = cast.browser(cast.olga, language="es").get(f"/groups/{cast.group.pk}/change").text
    assert "Luis (desactivado)" in form
    assert "Nuria" not in form


@pytest.mark.parametrize(
    ("language", "name", "told"),
    [
        ("en", "ventas", "There is already a group Ventas."),
        ("es", "ventas", "Ya hay un grupo Ventas."),
        ("en", "a\x00b", "Null characters are not allowed."),
        ("es", " ", "Este campo es obligatorio."),
    ],
)
def test_a_wrong_name_is_refused_and_the_members_stay_ticked(
    cast: Cast, language: str, name: str, told: str
) -> None:
    typed = {"name": name, "agents": [cast.ana.pk]}
    page = cast.browser(cast.olga, language=language).post("/groups/new", typed).text
    assert told in error_of(page, "name")
    assert re.search(rf'name="agents" value="{cast.ana.pk}"[^>]* checked', page)
    assert AgentGroup.objects.filter(organization=cast.shop).count() == 1


def test_another_organizations_agent_cannot_be_a_member(cast: Cast) -> None:
    theirs = add_agent(cast.elsewhere, name="Eve", email="eve@elsewhere.example")
    typed = {"name": "Ventas", "agents": [theirs.pk]}
    page = cast.browser(cast.olga).post(f"/groups/{cast.group.pk}/change", typed)
    assert "Select a valid choice" in error_of(page.text, "agents")
    assert cast.group.members.count() == 2


def test_a_group_in_use_says_by_which_mailboxes_and_stays(cast: Cast) -> None:
    mailbox(cast, "pedidos", cast.group)
    browser = cast.browser(cast.olga)
    page = browser.get(f"/groups/{cast.group.pk}/removal").text
    assert ">pedidos</a>" in page
    assert 'class="button is-danger"' not in page
    page = browser.post(f"/groups/{cast.group.pk}/removal").text
    assert "The group Ventas is used by collection accounts" in page
    assert AgentGroup.objects.filter(pk=cast.group.pk).exists()


def test_an_unused_group_is_removed_and_its_hand_outs_keep_their_reasons(cast: Cast) -> None:
    hand_out(add_customer(cast.shop, addresses=["eva@example.com"]), cast.group)
    browser = cast.browser(cast.olga)
    page = browser.post(f"/groups/{cast.group.pk}/removal", follow=True)
    assert "Removed the group Ventas." in page.text
    assert "Nobody of the group was Free" in browser.get(f"/agents/{cast.ana.pk}").text


def test_what_is_not_theirs_does_not_exist(cast: Cast) -> None:
    theirs = add_group(cast.elsewhere, "Theirs")
    olga, ana = cast.browser(cast.olga), cast.browser(cast.ana)
    for rest in ("", "/change", "/removal"):
        assert olga.get(f"/groups/{theirs.pk}{rest}").status_code == 404
        assert ana.get(f"/groups/{cast.group.pk}{rest}").status_code == 404
    for rest in ("/change", "/removal"):
        assert olga.post(f"/groups/{theirs.pk}{rest}").status_code == 404
    assert ana.get("/groups/").status_code == 404
    assert "Theirs" not in olga.get("/groups/").text
    assert AgentGroup.objects.filter(pk=theirs.pk).exists()


def test_many_groups_and_members_take_few_queries(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    groups = [add_group(cast.shop, f"Group {number:02}") for number in range(50)]
    for number in range(20):
        email = f"{number}@olivo.example"
        add_agent(cast.shop, name=f"Agent {number:02}", email=email, groups=groups)
    mailbox(cast, "pedidos", groups[0])
    for number in range(30):
        hand_out(add_customer(cast.shop, addresses=[f"c{number}@example.com"]), groups[0])
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(14):
        assert browser.get("/groups/").text.count("20 members") == 50
    with django_assert_max_num_queries(18):
        page = browser.get(f"/groups/{groups[0].pk}").text
    assert page.count('class="handout"') == 20
