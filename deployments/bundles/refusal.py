"""The one error of this package."""


class BundleRefused(Exception):
    """The bundle cannot be released. The message is a sentence for the release manager: what is wrong, what to do."""
