#pragma once
// Docstrings of LiveIndex.

namespace segue::python::docs {

inline constexpr char kLiveIndex[] =
    R"(LiveIndex(directory, index=None, *, durability="batch", interval_ms=50, snapshot_bytes=None, snapshots=True, read_only=False, threads=None)
--

An index in a directory: items come and go while it is searched, and survive a crash.

It is an Index: what takes one takes it. add, upsert, remove, tune, and the changes of its
catalog are written to a journal before they are made, and a call returns as `durability`
says. Snapshots are written beside the traffic; opening reads the newest and replays the
journal after it. docs/live.md says what happens when something fails.

One writer a directory, in all processes; any number of readers. Any number of threads.
Use it with `with`, or close() it: what is open at the end of the process is read again as
after a crash, which loses nothing but takes longer.

Args:
    directory: str, bytes or os.PathLike.
    index: None opens what is there. An index: the directory is made, with a copy of it and
        of its catalog.
    durability: "batch": a call returns when the disk has its change; calls of several
        threads share one sync. "interval": at once, the disk has it within interval_ms.
        "never": at once, the disk has it when the system likes. A killed process loses
        nothing with any of them; a power cut loses what the disk has not.
    interval_ms: Milliseconds, 1 to 3,600,000; for "interval".
    snapshot_bytes: A snapshot is written in the background once the journal since the last
        has so many bytes. None: as many as the last snapshot, at least 64 MiB.
    snapshots: False: only snapshot() writes any.
    read_only: Changes nothing in the directory, where a writer may be at work. What is
        opened is what was there then.
    threads: For the replay. None: as many as there are.

Raises:
    FileNotFound: No such directory, or no live index in it.
    AlreadyExists: Another writer, and which; or, with an index, there is one already.
    CorruptFile: Damage that is no torn tail; the message has file and offset.
    IoError: The operating system refused.

Example:
    >>> import tempfile, numpy as np, segue
    >>> folder = tempfile.mkdtemp() + "/tracks"
    >>> with segue.LiveIndex(folder, segue.FlatIndex(3)) as live:
    ...     live.add(np.eye(3, dtype=np.float32), ids=[7, 8, 9])
    ...     live.remove([8])
    1
    >>> with segue.LiveIndex(folder) as live:
    ...     live.search(np.array([1, 0, 0], np.float32), k=1).ids
    array([7])
)";

inline constexpr char kLiveIndexInit[] =
    "__init__(self, directory, index=None, *, durability='batch', interval_ms=50, snapshot_bytes=None, snapshots=True, "
    "read_only=False, threads=None)\n--\n\nSee the class.";

inline constexpr char kLiveExists[] = R"(exists(directory)
--

Whether there is a live index in a directory.

Args:
    directory: str, bytes or os.PathLike.

Returns:
    bool.

Example:
    >>> import segue
    >>> segue.LiveIndex.exists("/no/such/directory")
    False
)";

inline constexpr char kLiveSalvage[] = R"(salvage(directory, to)
--

Keeps what can be kept of a damaged directory, in a new one.

That is the newest whole snapshot, and every whole record of the journal after it. The old
directory is left as it is; nobody may be writing to it.

Args:
    directory: The damaged one.
    to: A directory that is not there, or empty.

Returns:
    dict. "snapshot": the number of the last change that the snapshot has; "records": how
    many were kept of the journal; "items": how many there are now; "losses": a list of
    str, one a damaged place.

Raises:
    CorruptFile: No snapshot is whole.
    AlreadyExists: `to` holds a live index.

Example:
    >>> import tempfile, segue
    >>> folder = tempfile.mkdtemp()
    >>> segue.LiveIndex(folder + "/a", segue.FlatIndex(3)).close()
    >>> segue.LiveIndex.salvage(folder + "/a", folder + "/b")["losses"]
    []
)";

inline constexpr char kLiveReplace[] = R"(replace(self, index)
--

Replaces every vector at once, by a copy of another index: a new model's.

Its dimension, metric and kind may be others. Searches that began before see the old one,
later ones the new one, none a mixture. The catalog stays, unless the new index brings its
own. Durable when it returns; changes wait meanwhile, searches do not.

Args:
    index: The new index, of everything that is to be found from now on.

Raises:
    Unsupported: The index was closed, or opened to be read only.
    IoError: The operating system refused.

Example:
    >>> import tempfile, numpy as np, segue
    >>> live = segue.LiveIndex(tempfile.mkdtemp() + "/tracks", segue.FlatIndex(3))
    >>> live.replace(segue.build(np.eye(5, dtype=np.float32)))
    >>> live.dim, len(live)
    (5, 5)
)";

inline constexpr char kLiveSnapshot[] = R"(snapshot(self)
--

Writes a snapshot now and waits for it.

Searches never wait for one. Changes wait while the index is copied in memory.

Raises:
    IoError: The operating system refused; the journal goes on as before.

Example:
    >>> import tempfile, segue
    >>> with segue.LiveIndex(tempfile.mkdtemp() + "/tracks", segue.FlatIndex(3)) as live:
    ...     live.snapshot()
)";

inline constexpr char kLiveSync[] = R"(sync(self)
--

Waits until the disk has all that was acknowledged, whatever the durability.

Raises:
    IoError: The disk failed; no changes are taken until the directory is opened again.

Example:
    >>> import tempfile, segue
    >>> folder = tempfile.mkdtemp() + "/tracks"
    >>> with segue.LiveIndex(folder, segue.FlatIndex(3), durability="never") as live:
    ...     live.sync()
)";

inline constexpr char kLiveClose[] = R"(close(self)
--

Syncs, lets go of the directory, and waits for what runs in the background.

Searches go on working, changes are Unsupported. Closing again does nothing.

Raises:
    IoError: The last changes could not be synced.

Example:
    >>> import tempfile, segue
    >>> live = segue.LiveIndex(tempfile.mkdtemp() + "/tracks", segue.FlatIndex(3))
    >>> live.close()
)";

inline constexpr char kLiveOpenReport[] = R"(What opening found.

dict: "snapshot" and "snapshot_bytes"; "records", "vectors" and "journal_bytes" replayed;
"cut_bytes", "cut_file", "cut_offset" of a torn tail; "notes", a list of what else somebody
should know; "load_seconds", "replay_seconds".
)";

inline constexpr char kLiveStats[] = R"(live_stats(self)
--

How journal and snapshots are doing.

Returns:
    dict. "sequence": number of the last change; "durable": of the last one that the disk
    has; "journal_bytes": since the last snapshot; "syncs"; "snapshot": the last change in
    it; "snapshot_bytes"; "snapshot_age": seconds; "snapshots": written since opening;
    "snapshot_pause": seconds for which the last one kept changes waiting;
    "snapshot_seconds"; "snapshot_error": why the last one failed, or "".

Example:
    >>> import tempfile, numpy as np, segue
    >>> with segue.LiveIndex(tempfile.mkdtemp() + "/tracks", segue.FlatIndex(3)) as live:
    ...     live.add(np.eye(3, dtype=np.float32))
    ...     live.live_stats()["durable"]
    1
)";

inline constexpr char kLiveDirectory[] = "Where it is, as it was given.";
inline constexpr char kLiveDurability[] = "\"batch\", \"interval\" or \"never\".";
inline constexpr char kLiveReadOnly[] = "Whether it was opened to be read only.";

}  // namespace segue::python::docs
