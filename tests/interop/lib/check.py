"""Counts what holds and what does not, and says so the way cargo's tests do."""

import sys
import traceback

passed = failed = 0


def check(name):
    """Runs the function below it at once."""

    def run(work):
        global passed, failed
        try:
            work()
        except Exception:
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"ok      {name}", flush=True)
        return work

    return run


def end():
    """Prints the counts. A script that found nothing to check has failed."""
    good = failed == 0 and passed > 0
    print(f"test result: {'ok' if good else 'FAILED'}. {passed} passed; {failed} failed")
    sys.exit(0 if good else 1)
