"""What looks like a secret is not written, however it is handed over; what is none is left as it is."""

import pytest

from dockerlab.discover.secrets import cleaned, harmless, revealing, words

SECRET = "hunter2"


@pytest.mark.parametrize(
    "line",
    [
        ["server", "--password", SECRET],
        ["server", f"--password={SECRET}"],
        ["server", f"--db.password={SECRET},more"],
        ["redis-server", "--requirepass", SECRET],
        ["mysql", "-u", "root", f"-p{SECRET}"],
        ["curl", "-u", f"root:{SECRET}", "http://web"],
        ["curl", f"https://root:{SECRET}@web/"],
        ["curl", f"http://web/?token={SECRET}&page=2"],
        ["sh", "-c", f"export DB_PASSWORD='{SECRET} and more'; exec server"],
        ["sh", "-c", f"exec server --api-key {SECRET}"],
        ["sh", "-c", f'echo \'{{"password": "{SECRET}"}}\' > /config'],
        ["mount", "-o", f"username=me,password={SECRET},ro"],
        ["curl", "-H", f"X-Api-Key: {SECRET}"],
    ],
)
def test_a_secret_in_a_command(line):
    """No word of a command keeps a secret, and the rest of the command is still there."""
    told = words(line)
    assert SECRET not in " ".join(told)
    assert "CHANGE-ME" in " ".join(told)
    assert told[0] == line[0]


@pytest.mark.parametrize(
    "line",
    [
        ["httpd", "-f", "-p", "80", "-h", "/www"],
        ["server", "--tls-key", "/run/secrets/key.pem", "--port=8080"],
        ["sh", "-c", "trap exit TERM INT; while :; do sleep 3600 & wait; done"],
        ["sh", "-c", 'exec server --password "$DB_PASSWORD"'],
        ["nc", "-lk", "-p", "5432", "-e", "cat"],
    ],
)
def test_no_secret_in_a_command(line):
    """A command without a secret is what it was."""
    assert words(line) == tuple(line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", SECRET),
        ("PGPASSWORD", SECRET),
        ("API_TOKEN", "true"),
        ("apiKey", "abc"),
        ("PIN", "1234"),
        ("DATABASE_URL", f"postgres://me:{SECRET}@db/shop"),
        ("ANYTHING", SECRET),
        ("LOG_DIR", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("CACHE_HOST", "dGhpcyBpcyA0IHNlY3JldCBrZXkgMTIzNDU2"),
        ("GREETING", "-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_a_variable_that_is_asked_for(name, value):
    """The value of a variable is not written where the name or the value may be a secret's."""
    assert not harmless(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TZ", "Europe/Zurich"), ("LANG", "C.UTF-8"), ("DEBUG", "1"), ("REPLICAS", "3"), ("DB_HOST", "db.lab"),
     ("FEATURE_X", "false"), ("CONFIG_FILE", "/etc/app.yaml"), ("HTTP_PORT", "8080")],
)  # fmt: skip
def test_a_variable_that_is_written(name, value):
    """The value of a variable is written where neither its name nor the value is of a secret's kind."""
    assert harmless(name, value)


def test_what_is_written_at_an_object():
    """A label or an option is left out as a whole where its name or its value gives something away."""
    assert revealing("registry.auth", "abc")
    assert revealing("o", f"username=me,password={SECRET}")
    assert not revealing("role", "web")
    assert not revealing("com.example.description", "the shop's front page")


def test_what_is_replaced_once():
    """A text that was cleaned stays as it is when it is cleaned again."""
    once = cleaned(f"server --password={SECRET} --host=web")
    assert once == "server --password=CHANGE-ME --host=web"
    assert cleaned(once) == once
