"""Which HTTP headers each file of a site gets: one pure function, and three ways to write it down.

The dev server calls `headers`; `_headers` (for hosts that read such a file) and the nginx example
are made from the same tables, and tests hold all of them together.
"""

import re
from pathlib import Path, PurePosixPath

IMMUTABLE_FOLDERS = ("assets", "runtime", "wheels", "models/blobs", "models/manifests")
"""Folders whose files are named by their content, so a browser may keep them for ever."""

ASKED_FOR = (
    "/", "/index.html", "/sw.js", "/site.webmanifest", "/notices.txt", "/icons/*", "/samples/*",
)  # fmt: skip
"""Everything else, as `_headers` writes paths."""

FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"

FRESH_FOLDER = "models/metadata"
"""Signed metadata: what a cache holds of it may be too old to be believed."""
NEVER = "no-store"

POLICY = "Content-Security-Policy"

_POLICY = {
    "default-src": "'none'",
    # WASM needs 'wasm-unsafe-eval' to compile at all; it doesn't allow eval of JavaScript.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "font-src": "'none'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def meta_policy(models_origin: str | None = None) -> str:
    """Return the policy for `<meta>`: browsers complain about frame-ancestors there.

    Args:
        models_origin: The one other origin that a site may take its models from.
    """
    policy = dict(_POLICY)
    if models_origin:
        policy["connect-src"] += f" {models_origin}"
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


def policy(models_origin: str | None = None) -> str:
    """Return the policy for the header."""
    return f"{meta_policy(models_origin)}; frame-ancestors 'self'"


CSP = policy()
"""The policy of a site that has its models itself."""

_ISOLATION = {
    # Threads in WASM need cross-origin isolation: the opener and embedder policies together.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}


def security(models_origin: str | None = None) -> dict[str, str]:
    """Return what every file gets."""
    # A worker takes the policy of its own script, so every file gets it, not the page alone.
    return {POLICY: policy(models_origin), **_ISOLATION}


def stored(models_origin: str | None = None) -> dict[str, str]:
    """Return what the service worker adds to HTML and scripts, for hosts that send no headers."""
    given = security(models_origin)
    return {name: given[name] for name in (POLICY, *_ISOLATION) if name.startswith(_STORED)}


_STORED = (POLICY, "Cross-Origin-")

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    # Browsers compile it while it arrives, under this type alone.
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}
OTHER_TYPE = "application/octet-stream"

WORTH_COMPRESSING = (
    "text/html", "text/css", "text/javascript", "text/plain", "application/json",
    "application/manifest+json", "application/wasm", "image/svg+xml",
)  # fmt: skip
"""What a host may as well compress on its way. What is large is packed already (`builder.wire`)."""


def content_type(path: str) -> str:
    """Return the media type of a file by its name; model blobs have no extension."""
    return TYPES.get(PurePosixPath(path).suffix, OTHER_TYPE)


def worth_compressing(path: str) -> bool:
    """Tell whether a host that negotiates an encoding should do so for this file."""
    return content_type(path).partition(";")[0] in WORTH_COMPRESSING


def cache_control(path: str) -> str:
    """Return how long a browser may keep a file, given its path within the site."""
    if path.startswith(f"{FRESH_FOLDER}/"):
        return NEVER
    return FOREVER if is_immutable(path) else ASK_FIRST


def is_immutable(path: str) -> bool:
    """Tell whether a file of the site is named by its content."""
    return path.startswith(tuple(f"{folder}/" for folder in IMMUTABLE_FOLDERS))


def headers(path: str, *, plain: bool = False, models_origin: str | None = None) -> dict[str, str]:
    """Return the headers for a file of the site.

    Args:
        path: Relative to the site's folder, without a leading slash; "" is the page.
        plain: Imitate a host that sends nothing but the media type.
        models_origin: The one other origin that the site may take its models from.

    Example:
        >>> headers("models/blobs/0a1b")["Cache-Control"]
        'public, max-age=31536000, immutable'
        >>> headers("index.html", plain=True)
        {'Content-Type': 'text/html; charset=utf-8'}
    """
    path = path or "index.html"
    media = {"Content-Type": content_type(path)}
    if plain:
        return media
    return {**media, "Cache-Control": cache_control(path), **security(models_origin)}


def headers_file(models_origin: str | None = None) -> str:
    """Return `_headers` as Netlify, Cloudflare Pages and others read it.

    Such hosts join the values when two rules give the same header, so each is given once.
    """
    rules = {"/*": security(models_origin)}
    for folder in IMMUTABLE_FOLDERS:
        rules[f"/{folder}/*"] = {"Cache-Control": FOREVER}
    rules[f"/{FRESH_FOLDER}/*"] = {"Cache-Control": NEVER}
    for path in ASKED_FOR:
        rules[path] = {"Cache-Control": ASK_FIRST}
    return "".join(
        f"{path}\n" + "".join(f"  {name}: {value}\n" for name, value in given.items())
        for path, given in rules.items()
    )


def models_origin(folder: Path) -> str | None:
    """Return the other origin that a built site takes its models from; None: it has them itself."""
    try:
        written = (folder / "_headers").read_text("utf-8")
    except FileNotFoundError:
        return None
    found = re.search(r"; connect-src 'self' ([^;]+);", written)
    return found[1] if found else None


def nginx_conf() -> str:
    """Return the example that stands in docs/hosting/nginx.conf."""
    types = "\n".join(
        f"        {media.split(';')[0]} {suffix[1:]};"
        for suffix, media in sorted(TYPES.items())
        if suffix not in (".py", ".js")
    )
    types = types.replace("text/javascript mjs;", "text/javascript js mjs;")
    types = types.replace("text/plain txt;", "text/plain txt py;")
    every = "\n".join(
        f'    add_header {name} "{value}" always;' for name, value in security().items()
    )
    folders = "|".join(IMMUTABLE_FOLDERS)
    compressed = " ".join(media for media in WORTH_COMPRESSING if media != "text/html")
    return f"""\
# A Satchel site on nginx, at the root of its own host name. Generated by builder/headers.py, and
# a test holds it there: change that file, not this one.
# Under a sub-path: put the folder there below `root`, and the path into the map's pattern.

map $uri $satchel_cache {{
    ~^/({folders})/ "{FOREVER}";
    ~^/{FRESH_FOLDER}/ "{NEVER}";
    default "{ASK_FIRST}";
}}

server {{
    listen 8080;
    root /srv/satchel;
    index index.html;

    types {{
{types}
    }}
    default_type {OTHER_TYPE};
    charset utf-8;
    charset_types text/css text/plain text/javascript;

    # What is large travels compressed already (.zst). Files named by their hash may as well be
    # compressed beforehand.
    gzip on;
    gzip_vary on;
    gzip_min_length 1024;
    gzip_types {compressed};

    add_header Cache-Control $satchel_cache;
{every}
}}
"""
