"""Words for work that takes a while: bytes, shares, time to go."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mtm_core.data.one_records import DownloadProgress

_KILO = 1000


@dataclass(frozen=True, kw_only=True)
class TaskDrawable:
    """What the strip of a running task shows.

    Parameters
    ----------
    title : str
        What is being done.
    detail : str
        How far it is.
    share : float or None
        0 to 1; None where nobody knows.
    can_cancel : bool
        Whether it can be stopped.
    """

    title: str
    detail: str = ""
    share: float | None = None
    can_cancel: bool = True


def bytes_words(n_bytes: float) -> str:
    """Write a size.

    Examples
    --------
    >>> bytes_words(0), bytes_words(999), bytes_words(34_500_000), bytes_words(2.5e9)
    ('0 B', '999 B', '34.5 MB', '2.5 GB')
    """
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _KILO:
            break
        size, unit = size / _KILO, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def duration_words(seconds: float) -> str:
    """Write a time to go, roughly.

    Examples
    --------
    >>> [duration_words(s) for s in (2.2, 44, 61, 3700)]
    ['a few seconds', '45 s', '1 min', '1 h 2 min']
    """
    if seconds < 5:
        return "a few seconds"
    if seconds < 57:
        return f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


_STAGES = {
    "looking up": "looking up its files",
    "waiting": "another program downloads the same session; waiting for it",
    "done": "all files have arrived",
}


def download_words(progress: DownloadProgress) -> str:
    """Say how much of a download has come, and how long the rest will take.

    Examples
    --------
    >>> download_words(DownloadProgress(stage="downloading", n_bytes=30_000_000, n_files=2,
    ...     n_bytes_total=120_000_000, n_files_total=17, seconds_left=31.0))
    '30.0 of 120 MB, 2 of 17 files, about 30 s left'
    >>> download_words(DownloadProgress(stage="looking up"))
    'looking up its files'
    """
    if progress.stage != "downloading":
        return _STAGES[progress.stage]
    done, total = bytes_words(progress.n_bytes), bytes_words(progress.n_bytes_total)
    if done.rpartition(" ")[2] == total.rpartition(" ")[2]:
        done = done.rpartition(" ")[0]
    text = f"{done} of {total}, {progress.n_files} of {progress.n_files_total} files"
    if progress.seconds_left is None:
        return text
    return f"{text}, about {duration_words(progress.seconds_left)} left"


def download_task(name: str, progress: DownloadProgress | None, n_waiting: int) -> TaskDrawable:
    """Describe a running download.

    Parameters
    ----------
    name : str
        What is downloaded.
    progress : DownloadProgress or None
        None before the first word about it.
    n_waiting : int
        Downloads that come after it.
    """
    later = f"   ({n_waiting} more waiting)" if n_waiting else ""
    said: object = "connecting" if progress is None else progress
    task = progress_task(f"Downloading {name}", said)
    return replace(task, detail=task.detail + later)


def progress_task(title: str, value: object) -> TaskDrawable:
    """Describe a task by what it last said: a download, words, a share, or nothing yet.

    Examples
    --------
    >>> progress_task("Opening KS014", "counting spikes").detail
    'counting spikes'
    """
    if isinstance(value, DownloadProgress):
        is_counted = value.stage in ("downloading", "done")
        share = value.fraction if is_counted else None
        return TaskDrawable(title=title, detail=download_words(value), share=share)
    if isinstance(value, float):
        return TaskDrawable(title=title, share=min(max(value, 0.0), 1.0))
    return TaskDrawable(title=title, detail="" if value is None else str(value))
