"""python-tuf, as far as it is used here.

Its client always imports its own HTTP fetcher, and with it urllib3. Ours gets its bytes through the
platform, so in a page a stand-in saves that import; python-tuf itself stays as it is.
"""

from __future__ import annotations

import sys
from types import ModuleType

if sys.platform == "emscripten":
    _stand_in = ModuleType("tuf.ngclient.urllib3_fetcher")
    _stand_in.Urllib3Fetcher = type("Urllib3Fetcher", (), {})  # type: ignore[attr-defined]
    sys.modules.setdefault(_stand_in.__name__, _stand_in)

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import KEY_FOR_TYPE_AND_SCHEME, Signature, SSlibKey
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata
from tuf.api.serialization import DeserializationError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

__all__ = [
    "KEY_FOR_TYPE_AND_SCHEME",
    "BadVersionNumberError",
    "DeserializationError",
    "DownloadError",
    "DownloadHTTPError",
    "DownloadLengthMismatchError",
    "ExpiredMetadataError",
    "FetcherInterface",
    "LengthOrHashMismatchError",
    "Metadata",
    "RepositoryError",
    "SSlibKey",
    "Signature",
    "UnsignedMetadataError",
    "UnverifiedSignatureError",
    "Updater",
    "UpdaterConfig",
]
