"""
Tests of guests, and of programs that embed the host: nothing runs outside of the test's own process.

```python
with Harness("guest_folder") as harness:
    worker = harness.worker()
    assert worker.call("add", 2) == 2
    worker.crash()
    assert worker.call("value") == 2
```

No test framework is needed or imported; a failure is an `AssertionError`.  ``import golem_host`` does
not import this package.
"""

from golem_host.testing.crashes import CrashPoint as CrashPoint
from golem_host.testing.everywhere import CrashDifferenceError as CrashDifferenceError
from golem_host.testing.everywhere import Crashed as Crashed
from golem_host.testing.everywhere import crash_everywhere as crash_everywhere
from golem_host.testing.harness import QUIET as QUIET
from golem_host.testing.harness import Harness as Harness
from golem_host.testing.log import RecordedCall as RecordedCall
from golem_host.testing.log import WorkerLog as WorkerLog
from golem_host.testing.scripted_http import HttpFailure as HttpFailure
from golem_host.testing.scripted_http import HttpRequest as HttpRequest
from golem_host.testing.scripted_http import HttpResponse as HttpResponse
from golem_host.testing.scripted_http import HttpScript as HttpScript
from golem_host.testing.scripted_http import UnexpectedRequestError as UnexpectedRequestError
from golem_host.testing.worker import GuestCall as GuestCall
from golem_host.testing.worker import GuestWorker as GuestWorker
from golem_host.testing.world import FrozenClock as FrozenClock
from golem_host.testing.world import SeededRandom as SeededRandom
