"""Work whose worker is killed by one job, as the system does when memory runs out."""

import os
import signal

from microtome.core.events import Done
from microtome.core.result import Result
from microtome.run.executors.processes import processes
from microtome.run.worker import could_not


def work(job):
    """Finish a job, or die of it."""
    if job.name == "deadly.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return Done(job.name, Result(job.name))


def run(jobs):
    """Each job's name and event, on two workers."""
    for job, event in processes(work, jobs, workers=2, failed=could_not):
        yield job.name, event
