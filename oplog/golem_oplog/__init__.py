"""
The binary log of a durable worker, as a library of its own: no WebAssembly, no command line.

```python
files = OsFiles()
blobs = BlobStore(root / "blobs", files, SyncLevel.POWER)
store = OplogStore(root / "workers", files, SyncLevel.POWER, blobs)
with store.create("cart/alice", create) as log:
    log.append(entry)
    log.commit()
for view in view_entries(store.reader("cart/alice")):
    print(view.index, view.kind, view.fields)
```

Everything a user needs is in this namespace.  Names are loaded when they are first used, so that
importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from golem_oplog.adopt import Exported, open_export
    from golem_oplog.blobs import (
        Blobs,
        BlobStore,
        MemoryBlobs,
    )
    from golem_oplog.cbor import (
        decode_args,
        decode_type,
        decode_typed,
        decode_value,
        encode_args,
        encode_type,
        encode_typed,
        encode_value,
        fingerprint,
    )
    from golem_oplog.codec import (
        decode_entry,
        decode_wire,
        encode_entry,
    )
    from golem_oplog.entries import (
        KINDS,
        ActivatePlugin,
        BeginAtomicRegion,
        BeginRemoteWrite,
        BlobRef,
        CancelPendingInvocation,
        ChangePersistenceLevel,
        ChangeRetryPolicy,
        Create,
        CreateResource,
        DeactivatePlugin,
        DescribeResource,
        DropResource,
        EndAtomicRegion,
        EndRemoteWrite,
        Entry,
        EntryKind,
        Error,
        ErrorKind,
        Exited,
        ExportedFunctionCompleted,
        ExportedFunctionInvoked,
        FailedUpdate,
        FinishSpan,
        FunctionKind,
        GrowMemory,
        ImportedFunctionInvoked,
        Interrupted,
        Jump,
        Log,
        LogLevel,
        NoOp,
        Payload,
        PendingUpdate,
        PendingWorkerInvocation,
        PersistenceLevel,
        Restart,
        Revert,
        SetSpanAttribute,
        StartSpan,
        SuccessfulUpdate,
        Suspend,
    )
    from golem_oplog.errors import (
        CorruptOplogError,
        EntryTooLargeError,
        MalformedEntryError,
        MalformedExportError,
        MalformedPayloadError,
        MissingBlobError,
        NoSuchEntryError,
        OplogError,
        OplogExistsError,
        OplogInUseError,
        OplogMismatchError,
        OplogNotFoundError,
        OplogPoisonedError,
        OplogReadError,
        OplogWriteError,
        QueryError,
        UnknownFunctionError,
        UnsupportedFormatError,
        ValueTypeError,
        WaveError,
    )
    from golem_oplog.examine import (
        CheckReport,
        Damage,
        SegmentReport,
        Statistics,
        check,
        reachable_blobs,
        salvage,
        statistics,
    )
    from golem_oplog.export import export_log
    from golem_oplog.files import (
        File,
        Files,
        OsFiles,
    )
    from golem_oplog.jsonform import (
        from_json,
        to_json,
        wire_to_json,
    )
    from golem_oplog.log import (
        SegmentedOplog,
    )
    from golem_oplog.memory import (
        MemoryOplog,
        MemoryOplogStore,
    )
    from golem_oplog.protocol import (
        Oplog,
        ReadableOplog,
        Store,
        SyncLevel,
    )
    from golem_oplog.public import (
        Err,
        Ok,
        ResourceRef,
        Result,
        Some,
        Variant,
    )
    from golem_oplog.query import (
        EntryFilter,
        select_entries,
        view_entries,
    )
    from golem_oplog.reader import (
        OplogReader,
        open_directory,
        open_file,
        open_segments,
    )
    from golem_oplog.recovery import (
        Recovery,
    )
    from golem_oplog.regions import (
        Mark,
        Regions,
    )
    from golem_oplog.search import (
        Search,
        search_entries,
    )
    from golem_oplog.store import (
        OplogStore,
    )
    from golem_oplog.types import (
        EnumType,
        FlagsType,
        FunctionType,
        HandleType,
        ListType,
        OptionType,
        Prim,
        RecordType,
        ResultType,
        TupleType,
        VariantType,
        WitType,
    )
    from golem_oplog.values import (
        check_wire,
        from_wire,
        is_identity,
        to_wire,
    )
    from golem_oplog.views import (
        EntryView,
        TypedValue,
        Undecodable,
        public_fields,
    )
    from golem_oplog.wave import (
        Call,
        parse_args,
        parse_call,
        parse_value,
        render_call,
        render_value,
        render_wire,
    )
    from golem_oplog.wit_value import (
        VALUE_AND_TYPE,
        WIT_TYPE,
        WIT_VALUE,
        from_value_and_type,
        from_wit_type,
        from_wit_value,
        to_value_and_type,
        to_wit_type,
        to_wit_value,
    )
    from golem_oplog.wittext import (
        format_function,
        format_type,
    )

_MODULES: Final = {
    "adopt": "Exported open_export",
    "blobs": "BlobStore Blobs MemoryBlobs",
    "cbor": (
        "decode_args decode_type decode_typed decode_value encode_args encode_type "
        "encode_typed encode_value fingerprint"
    ),
    "codec": "decode_entry decode_wire encode_entry",
    "entries": (
        "ActivatePlugin BeginAtomicRegion BeginRemoteWrite BlobRef CancelPendingInvocation "
        "ChangePersistenceLevel ChangeRetryPolicy Create CreateResource DeactivatePlugin "
        "DescribeResource DropResource EndAtomicRegion EndRemoteWrite Entry EntryKind Error "
        "ErrorKind Exited ExportedFunctionCompleted ExportedFunctionInvoked FailedUpdate "
        "FinishSpan FunctionKind GrowMemory ImportedFunctionInvoked Interrupted Jump KINDS "
        "Log LogLevel NoOp Payload PendingUpdate PendingWorkerInvocation PersistenceLevel "
        "Restart Revert SetSpanAttribute StartSpan SuccessfulUpdate Suspend"
    ),
    "errors": (
        "CorruptOplogError EntryTooLargeError MalformedEntryError MalformedExportError "
        "MalformedPayloadError MissingBlobError NoSuchEntryError OplogError OplogExistsError "
        "OplogInUseError OplogMismatchError OplogNotFoundError OplogPoisonedError OplogReadError "
        "OplogWriteError QueryError UnknownFunctionError UnsupportedFormatError "
        "ValueTypeError WaveError"
    ),
    "examine": (
        "CheckReport Damage SegmentReport Statistics check reachable_blobs salvage statistics"
    ),
    "export": "export_log",
    "files": "File Files OsFiles",
    "jsonform": "from_json to_json wire_to_json",
    "log": "SegmentedOplog",
    "memory": "MemoryOplog MemoryOplogStore",
    "protocol": "Oplog ReadableOplog Store SyncLevel",
    "public": "Err Ok ResourceRef Result Some Variant",
    "query": "EntryFilter select_entries view_entries",
    "reader": "OplogReader open_directory open_file open_segments",
    "recovery": "Recovery",
    "regions": "Mark Regions",
    "search": "Search search_entries",
    "store": "OplogStore",
    "types": (
        "EnumType FlagsType FunctionType HandleType ListType OptionType Prim RecordType "
        "ResultType TupleType VariantType WitType"
    ),
    "values": "check_wire from_wire is_identity to_wire",
    "views": "EntryView TypedValue Undecodable public_fields",
    "wave": "Call parse_args parse_call parse_value render_call render_value render_wire",
    "wit_value": (
        "VALUE_AND_TYPE WIT_TYPE WIT_VALUE from_value_and_type from_wit_type from_wit_value "
        "to_value_and_type to_wit_type to_wit_value"
    ),
    "wittext": "format_function format_type",
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "KINDS",
    "VALUE_AND_TYPE",
    "WIT_TYPE",
    "WIT_VALUE",
    "ActivatePlugin",
    "BeginAtomicRegion",
    "BeginRemoteWrite",
    "BlobRef",
    "BlobStore",
    "Blobs",
    "Call",
    "CancelPendingInvocation",
    "ChangePersistenceLevel",
    "ChangeRetryPolicy",
    "CheckReport",
    "CorruptOplogError",
    "Create",
    "CreateResource",
    "Damage",
    "DeactivatePlugin",
    "DescribeResource",
    "DropResource",
    "EndAtomicRegion",
    "EndRemoteWrite",
    "Entry",
    "EntryFilter",
    "EntryKind",
    "EntryTooLargeError",
    "EntryView",
    "EnumType",
    "Err",
    "Error",
    "ErrorKind",
    "Exited",
    "Exported",
    "ExportedFunctionCompleted",
    "ExportedFunctionInvoked",
    "FailedUpdate",
    "File",
    "Files",
    "FinishSpan",
    "FlagsType",
    "FunctionKind",
    "FunctionType",
    "GrowMemory",
    "HandleType",
    "ImportedFunctionInvoked",
    "Interrupted",
    "Jump",
    "ListType",
    "Log",
    "LogLevel",
    "MalformedEntryError",
    "MalformedExportError",
    "MalformedPayloadError",
    "Mark",
    "MemoryBlobs",
    "MemoryOplog",
    "MemoryOplogStore",
    "MissingBlobError",
    "NoOp",
    "NoSuchEntryError",
    "Ok",
    "Oplog",
    "OplogError",
    "OplogExistsError",
    "OplogInUseError",
    "OplogMismatchError",
    "OplogNotFoundError",
    "OplogPoisonedError",
    "OplogReadError",
    "OplogReader",
    "OplogStore",
    "OplogWriteError",
    "OptionType",
    "OsFiles",
    "Payload",
    "PendingUpdate",
    "PendingWorkerInvocation",
    "PersistenceLevel",
    "Prim",
    "QueryError",
    "ReadableOplog",
    "RecordType",
    "Recovery",
    "Regions",
    "ResourceRef",
    "Restart",
    "Result",
    "ResultType",
    "Revert",
    "Search",
    "SegmentReport",
    "SegmentedOplog",
    "SetSpanAttribute",
    "Some",
    "StartSpan",
    "Statistics",
    "Store",
    "SuccessfulUpdate",
    "Suspend",
    "SyncLevel",
    "TupleType",
    "TypedValue",
    "Undecodable",
    "UnknownFunctionError",
    "UnsupportedFormatError",
    "ValueTypeError",
    "Variant",
    "VariantType",
    "WaveError",
    "WitType",
    "check",
    "check_wire",
    "decode_args",
    "decode_entry",
    "decode_type",
    "decode_typed",
    "decode_value",
    "decode_wire",
    "encode_args",
    "encode_entry",
    "encode_type",
    "encode_typed",
    "encode_value",
    "export_log",
    "fingerprint",
    "format_function",
    "format_type",
    "from_json",
    "from_value_and_type",
    "from_wire",
    "from_wit_type",
    "from_wit_value",
    "is_identity",
    "open_directory",
    "open_export",
    "open_file",
    "open_segments",
    "parse_args",
    "parse_call",
    "parse_value",
    "public_fields",
    "reachable_blobs",
    "render_call",
    "render_value",
    "render_wire",
    "salvage",
    "search_entries",
    "select_entries",
    "statistics",
    "to_json",
    "to_value_and_type",
    "to_wire",
    "to_wit_type",
    "to_wit_value",
    "view_entries",
    "wire_to_json",
]


def __getattr__(name: str) -> object:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
