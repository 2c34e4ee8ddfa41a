"""A poll that many workers count together: what they store is shared, and each vote counts once."""

from wit_world import exports
from wit_world.imports import atomic, blobstore, eventual_batch, logging, store
from wit_world.imports.wasi_blobstore_types import OutgoingValue
from wit_world.imports.wasi_keyvalue_types import Bucket

ARCHIVE = "polls"


def poll() -> str:
    return store.get("poll") or "lunch"


def votes() -> Bucket:
    return Bucket.open_bucket(poll())


class Api(exports.Api):
    def vote(self, dish: str) -> int:
        count = atomic.increment(votes(), dish, 1)
        logging.log(logging.Level.INFO, poll(), f"{dish} has {count}")
        return count

    def standings(self) -> list[tuple[str, int]]:
        dishes = sorted(eventual_batch.keys(votes()))
        counts = eventual_batch.get_many(votes(), dishes)
        return [
            (dish, int(count.incoming_value_consume_sync()))
            for dish, count in zip(dishes, counts, strict=True)
            if count is not None
        ]

    def close(self) -> int:
        standings = self.standings()
        exists = blobstore.container_exists(ARCHIVE)
        archive = (blobstore.get_container if exists else blobstore.create_container)(ARCHIVE)
        text = ", ".join(f"{dish} {count}" for dish, count in standings)
        with OutgoingValue.new_outgoing_value() as value:
            with value.outgoing_value_write_body() as stream:
                stream.blocking_write_and_flush(text.encode())
            archive.write_data(poll(), value)
        eventual_batch.delete_many(votes(), [dish for dish, _ in standings])
        return len(standings)

    def archived(self, poll: str) -> str | None:
        if not blobstore.container_exists(ARCHIVE):
            return None
        archive = blobstore.get_container(ARCHIVE)
        if not archive.has_object(poll):
            return None
        with archive.get_data(poll, 0, archive.object_info(poll).size) as value:
            return value.incoming_value_consume_sync().decode()
