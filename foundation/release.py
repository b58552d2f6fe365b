"""The release of bookmesh that this code is; the package has its version from here."""

RELEASE = "0.8.0"
