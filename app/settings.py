"""The settings: read once, at the start, from the environment or from one file.

A wrong setting stops the start with one line that names it. A service that starts with a
misspelt name or half a secret is found out later, by somebody else.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "TASSEI_"
FILE = "TASSEI_SETTINGS"
_IGNORED = "TASSEI_TEST_"
# `tassei tree` reads a service from outside; these are not settings of one.
_OF_TREE = frozenset({"TASSEI_KEY", "TASSEI_URL"})
_ADMIN_KEY = re.compile(r"tsk_default_[A-Za-z0-9]{32,}", re.ASCII)
_ORIGIN = re.compile(r"https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """One line for the person who starts the service; it never holds a value."""


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.query or parts.fragment or parts.username or parts.path.endswith("/"):
        raise ValueError("must have no user, query, fragment or trailing slash")
    return text


_DATABASES = ("sqlite:///", "postgresql://")


def _database(text: str) -> str:
    if not text.startswith(_DATABASES) or text in _DATABASES:
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    return text


def _admin_key(secret: SecretStr) -> SecretStr:
    if not _ADMIN_KEY.fullmatch(secret.get_secret_value()):
        raise ValueError("must read tsk_default_ followed by 32 or more letters and digits")
    return secret


def _secret_key(secret: SecretStr) -> SecretStr:
    try:
        key = base64.urlsafe_b64decode(secret.get_secret_value())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("must be 32 random bytes in URL-safe base64")
    return secret


def _origins(value: object) -> object:
    origins = value.split(",") if isinstance(value, str) else value
    return tuple(origin.strip() for origin in origins) if isinstance(origins, list) else origins


def _all_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("must list origins such as https://app.example.com, split by commas")
    return origins


class Settings(BaseSettings):
    """Every setting, its default and its meaning; docs/settings.md is written from here."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    data_dir: Path = Field(
        default=Path("data"), description="Folder of the database and the secret key."
    )
    database_url: Annotated[str, AfterValidator(_database)] | None = Field(
        default=None,
        description="The database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`; "
        "unset, a SQLite file in the data folder.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: Port = Field(default=8000, description="Port to listen on.")
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="Address by which senders reach the service, without a trailing slash. "
        "Needed for senders that sign the address.",
    )
    admin_key: Annotated[SecretStr, AfterValidator(_admin_key)] | None = Field(
        default=None,
        description="First admin key of the workspace `default`; unset, the first start "
        "makes one and prints it once.",
    )
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = Field(
        default=None,
        description="Encrypts the credentials of sources: 32 random bytes in URL-safe base64; "
        "unset, one is made in the data folder. All replicas need the same.",
    )
    metrics_port: Port | None = Field(
        default=None, description="Port of /metrics; unset, the service's own port."
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token that /metrics asks for; unset, it asks for none."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="Form of the log."
    )
    cors_origins: Annotated[
        tuple[str, ...], BeforeValidator(_origins), AfterValidator(_all_origins)
    ] = Field(default=(), description="Origins whose pages may call the API, split by commas.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: the environment is its argument, not a global."""
        return (init_settings,)

    @model_validator(mode="after")
    def _two_doors_have_two_ports(self) -> Self:
        if self.metrics_port == self.port:
            raise ValueError("TASSEI_METRICS_PORT must differ from TASSEI_PORT")
        return self

    @property
    def database(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'tassei.sqlite3'}"


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment names; SettingsError, in one line, when one is wrong."""
    values = _file_values(environ.get(FILE)) | _values(environ)
    unknown = sorted(name for name in values if name not in Settings.model_fields)
    if unknown:
        raise SettingsError(f"{PREFIX}{unknown[0].upper()}: no such setting")
    try:
        return Settings(**values)  # type: ignore[arg-type] # texts, which pydantic reads
    except ValidationError as error:
        raise SettingsError(
            "; ".join(_line(fault["loc"], fault["msg"]) for fault in error.errors())
        ) from None


def _values(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Ours among the variables, by field name. An empty one counts as unset, as in a shell."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in variables.items()
        if name.startswith(PREFIX)
        and name not in _OF_TREE | {FILE}
        and not name.startswith(_IGNORED)
        and value
    }


def _file_values(path: str | None) -> dict[str, str]:
    if not path:
        return {}
    if not Path(path).is_file():
        raise SettingsError(f"{FILE}: no such file")
    source = DotEnvSettingsSource(Settings, env_file=path, case_sensitive=True)
    foreign = sorted(name for name in source.env_vars if not name.startswith(PREFIX))
    if foreign:
        raise SettingsError(f"{FILE}: a name in it does not begin with {PREFIX}")
    return _values(source.env_vars)


def _line(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {text}" if location else text


def secret_key(settings: Settings) -> bytes:
    """The key that encrypts credentials: the given one, else the data folder's, made if absent."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode("ascii")
    path = settings.data_dir / "secret.key"
    try:
        if not path.exists():
            _make_key(path)
        return path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}SECRET_KEY: unset, and the data folder has no use for one ({error.strerror})"
        ) from None


def given_key(path: Path) -> bytes:
    """The key that a file holds, as a data folder's does. Raises SettingsError."""
    try:
        text = path.read_bytes().strip().decode("ascii", "replace")
        return _secret_key(SecretStr(text)).get_secret_value().encode("ascii")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None


def _make_key(path: Path) -> None:
    """A whole file or none, and never over another process's: written aside, then linked."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(os.urandom(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass  # another process of ours was first: its key is the key
    finally:
        Path(aside).unlink()


def table() -> str:
    """docs/settings.md: every setting with its default and meaning."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join([*_PREAMBLE, *rows, ""])


def _default(value: object) -> str:
    return f"`{value}`" if value not in (None, ()) else ""


_PREAMBLE = (
    "# Settings",
    "",
    f"Read from the environment, or from the file that `{FILE}` names (`NAME=value` lines; the",
    "environment wins). A wrong or unknown one stops the start with one line.",
    "Behind a proxy, name the proxy's address in `FORWARDED_ALLOW_IPS`: only then is what it says",
    "about the client believed.",
    "",
    "| name | default | meaning |",
    "|---|---|---|",
)
