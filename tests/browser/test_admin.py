"""The page of administrators, what they announce, and the way in by a code for a new password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Tab
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

from .test_pages import check


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose administrator is root; each test leaves root the only one, and registration open."""
    running = ServerProcess(tmp_path_factory.mktemp("admin") / "data", "--registration", "open").start()
    code = next(match[1] for line in running.said if (match := re.search(r"--code (\S+)", line)))
    with Wire(running.port) as wire:
        assert wire.register("root", code=code)["type"] == "REGISTER-OK"
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.logged(), running.logged()


@pytest.fixture
def root(tab: Callable[..., Tab], home: ServerProcess) -> Page:
    """The administrator's page, open."""
    return administer(tab(home.port))


def administer(tab: Tab) -> Page:
    """Sign in as root and go to the page by its link."""
    page = tab.sign_in("root")
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("list", name="Accounts").wait_for()
    return page


def confirm(page: Page, button: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=button).click()


def opened(page: Page, login: str) -> Locator:
    """An account of the list, found and opened."""
    page.get_by_role("searchbox", name="Search accounts").fill(login)
    row = page.get_by_role("list", name="Accounts").get_by_role("listitem").filter(has_text=login)
    row.get_by_role("button", expanded=False).click()
    return row


def test_a_disabled_account_is_out_until_it_is_enabled_and_a_code_gives_it_a_new_password(
    tab: Callable[..., Tab], home: ServerProcess, root: Page
) -> None:
    """Rows: M25 (partly)."""
    with newcomer(home.port, "bob") as wire:
        login = wire.login
    bob = tab(home.port)
    bob.sign_in(login)
    row = opened(root, login)
    expect(row.get_by_role("button", expanded=True)).to_have_accessible_name(re.compile(f"{login}.*online"))
    row.get_by_role("button", name="Disable").click()
    confirm(root, "Disable")
    expect(row).to_contain_text("Disabled")
    expect(bob.page.get_by_role("heading", name="Your account is disabled")).to_be_visible()
    bob.page.get_by_role("button", name="Sign out").click()
    bob.page.get_by_role("textbox", name="Login").fill(login)
    bob.page.get_by_role("textbox", name="Password").fill("a password")
    bob.page.get_by_role("button", name="Sign in").click()
    expect(bob.page.get_by_role("alert")).to_have_text(
        "This account is disabled. Ask the administrator of this server."
    )
    row.get_by_role("button", name="Enable").click()
    expect(row).not_to_contain_text("Disabled")
    bob.page.get_by_role("button", name="Sign in").click()
    expect(bob.page.get_by_role("navigation", name="Contacts")).to_be_visible()

    row.get_by_role("button", name="Reset password").click()
    dialog = root.get_by_role("dialog", name=f"A new password for {login}")
    link = dialog.get_by_role("textbox", name="Link").input_value()
    code = dialog.locator("code").inner_text()
    assert link == f"http://127.0.0.1:{home.port}/#/reset/{login}/{code}"
    expect(dialog.get_by_role("img", name="The link as a QR code")).to_be_visible()
    root.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy").click()
    assert root.evaluate("() => navigator.clipboard.readText()") == link
    dialog.get_by_role("button", name="Close").click()

    forgetful = tab(home.port)
    page = forgetful.open()
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_role("textbox", name="Login").fill(login)
    page.get_by_role("textbox", name="Code").fill("0000-0000-0000-0000-0000")
    page.get_by_role("textbox", name="New password").fill("another password")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("alert")).to_contain_text("This code does not belong to this login")
    expect(page.get_by_role("textbox", name="Login")).to_have_value(login)
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("textbox", name="Code")).to_have_value(code)
    page.get_by_role("textbox", name="New password").fill("another password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Contacts")).to_be_visible()
    assert "reset" not in page.url
    expect(bob.page.get_by_role("button", name="Sign in")).to_be_visible()
    bob.page.goto(link.replace(code, "used"))
    bob.page.get_by_role("textbox", name="Login").wait_for()


def test_the_list_of_accounts_grows_and_is_searched(home: ServerProcess, root: Page) -> None:
    for _ in range(11):
        newcomer(home.port, "crowd").close()
    search, rows = root.get_by_role("searchbox", name="Search accounts"), root.get_by_role("list", name="Accounts")
    search.fill("crowd")
    expect(rows.get_by_role("listitem")).to_have_count(10)
    root.get_by_role("button", name="Show more").click()
    expect(rows.get_by_role("listitem")).to_have_count(11)
    expect(root.get_by_role("button", name="Show more")).to_have_count(0)
    search.fill("no such login")
    expect(root.get_by_text("Nobody is called that.")).to_be_visible()


def test_an_invitation_is_made_used_and_revoked(tab: Callable[..., Tab], home: ServerProcess, root: Page) -> None:
    """Rows: B134 (partly)."""
    root.get_by_role("spinbutton", name="People").fill("2")
    root.get_by_role("combobox", name="Valid for").select_option("1 day")
    root.get_by_role("button", name="Create invitation").click()
    dialog = root.get_by_role("dialog", name="Your invitation")
    link = dialog.get_by_role("textbox", name="Link").input_value()
    dialog.get_by_role("button", name="Close").click()
    invites = root.get_by_role("list", name="Invitations")
    expect(invites.get_by_role("listitem")).to_contain_text("For 2 people")
    expect(invites.get_by_role("listitem")).to_contain_text("from root")

    guest = tab(home.port)
    page = guest.open(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_role("textbox", name="Login").fill("guest")
    page.get_by_role("textbox", name="Password").fill("a password")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="root", exact=True)).to_be_visible()

    invites.get_by_role("button", name="Revoke").click()
    confirm(root, "Revoke")
    expect(root.get_by_text("No invitation is waiting to be used.")).to_be_visible()
    page = tab(home.port).open(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_role("textbox", name="Login").fill("late")
    page.get_by_role("textbox", name="Password").fill("a password")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_have_text("This code is not valid, or no longer.")


def test_the_sign_in_page_follows_who_may_register(tab: Callable[..., Tab], root: Page, home: ServerProcess) -> None:
    """Rows: M12."""
    stranger = tab(home.port)
    page = stranger.open()
    create = page.get_by_role("button", name="Create account")
    expect(create).to_be_visible()
    root.get_by_role("radio", name="By invitation").check()
    expect(root.get_by_text("The server was started with another setting.")).to_be_visible()
    page.get_by_role("textbox", name="Login").fill("stranger")
    page.get_by_role("textbox", name="Password").fill("a password")
    create.click()
    expect(page.get_by_role("textbox", name="Invitation")).to_be_visible()
    page.reload()
    expect(page.get_by_text("You need an invitation")).to_be_visible()
    root.get_by_role("radio", name="Closed").check()
    expect(root.get_by_text("Saved.").last).to_be_visible()
    page.reload()
    expect(page.get_by_text("Accounts are made by whoever runs this server.")).to_be_visible()
    expect(create).to_have_count(0)
    root.get_by_role("radio", name="Open").check()
    expect(root.get_by_text("The server was started with another setting.")).to_have_count(0)
    page.reload()
    expect(create).to_be_visible()


def test_an_announcement_reaches_everyone_until_they_put_it_away(
    tab: Callable[..., Tab], home: ServerProcess, root: Page
) -> None:
    with newcomer(home.port, "alice") as wire:
        login = wire.login
    alice = tab(home.port)
    page = alice.sign_in(login)
    banner = page.get_by_role("region", name="Announcement")
    root.get_by_role("textbox", name="What to tell everyone").fill("Tea at **five**: https://tea.example <b>now</b>")
    root.get_by_role("button", name="Publish").click()
    expect(banner).to_contain_text("Tea at five: https://tea.example <b>now</b>")
    expect(banner.get_by_role("link")).to_have_attribute("href", "https://tea.example/")
    page.reload()
    expect(banner).to_contain_text("root, just now")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner).to_have_count(0)
    page.reload()
    alice.is_connected()
    page.get_by_role("link", name="Settings").click()
    page.get_by_text("this device").wait_for()
    expect(banner).to_have_count(0)
    root.get_by_role("textbox", name="Tell something else instead").fill("Tea at six")
    root.get_by_role("button", name="Publish").click()
    expect(banner).to_contain_text("Tea at six")
    root.get_by_role("button", name="Withdraw").click()
    expect(banner).to_have_count(0)
    expect(root.get_by_role("textbox", name="What to tell everyone")).to_be_visible()


def test_the_page_is_for_administrators_and_one_of_them_is_always_left(
    tab: Callable[..., Tab], home: ServerProcess, root: Page
) -> None:
    """Rows: X03 (partly)."""
    with newcomer(home.port, "carol") as wire:
        login = wire.login
    carol = tab(home.port)
    page = carol.sign_in(login)
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    page.evaluate("() => { location.hash = '#/admin' }")
    sentence = "Only administrators of this server can use this page. You are signed in as "
    expect(page.get_by_text(sentence)).to_contain_text(login)
    expect(page.get_by_role("list", name="Accounts")).to_have_count(0)

    row = opened(root, "root")
    row.get_by_role("button", name="Disable").click()
    confirm(root, "Disable")
    expect(root.get_by_text("This is the only administrator. Make somebody else one first.")).to_be_visible()
    row = opened(root, login)
    row.get_by_role("button", name="Make administrator").click()
    confirm(root, "Make administrator")
    expect(row).to_contain_text("Administrator")
    page.reload()
    page.get_by_role("list", name="Accounts").wait_for()
    row.get_by_role("button", name="Remove as administrator").click()
    confirm(root, "Remove as administrator")
    expect(row.get_by_role("button", name="Make administrator")).to_be_visible()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text(sentence)).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_no_page_keeps_an_administrator_out(
    tab: Callable[..., Tab], home: ServerProcess, width: int, scheme: str
) -> None:
    """Rows: A04 (partly)."""
    look = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "reduced_motion": "reduce"}
    blank = tab(home.port, **look)
    page = blank.open(f"/#/reset/{'long' * 16}/1a2b-3c4d-5e6f-7a8b-9c0d")
    blank.is_connected()
    check(page, width, "a new password")
    with Wire(home.port).connect("root") as wire:
        wire.ask("ADMIN-ANNOUNCE", text=f"**Backup** tonight: https://example.org/{'long' * 30}\n- one\n- two\n" * 5)
        wire.register(f"{'long' * 15}{width % 7}{scheme[0]}")
        page = administer(tab(home.port, **look))
        opened(page, "root")
        page.get_by_role("button", name="Create invitation").click()
        page.get_by_role("dialog").wait_for()
        check(page, width, "an invitation")
        page.get_by_role("button", name="Close").click()
        page.get_by_role("searchbox", name="Search accounts").fill("")
        expect(page.get_by_role("list", name="Accounts").get_by_role("listitem")).not_to_have_count(1)
        check(page, width, "the page of administrators")
        wire.ask("ADMIN-ANNOUNCE", text="")
