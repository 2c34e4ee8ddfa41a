"""A counter.  That it survives the process is the host's doing: here is only a variable."""

from wit_world import exports


class Api(exports.Api):
    total = 0

    def add(self, by: int) -> int:
        Api.total += by
        return Api.total

    def value(self) -> int:
        return Api.total
