"""Several ranks of one job on this machine: collectives, the ways in which ranks meet, and what happens when one of them
fails, dies or hangs."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"], "integration", "one_rank")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Job:
    """The processes of one job, started at once."""

    def __init__(self, world_size, *arguments, ranks=None, pass_fds=(), **variables):
        environment = dict(os.environ, OMP_NUM_THREADS="1", WORLD_SIZE=str(world_size), AUDYN_TEST_TIMEOUT="60",
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()))
        environment.update({key: str(value) for key, value in variables.items()})
        self.start = time.monotonic()
        self.processes = {
            rank: subprocess.Popen([str(PROGRAM), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, pass_fds=pass_fds if rank == 0 else (),
                                   env=dict(environment, RANK=str(rank), LOCAL_RANK=str(rank)))
            for rank in (range(world_size) if ranks is None else ranks)}

    def wait(self, timeout=120):
        """Exit codes and outputs by rank."""
        self.ends, self.outputs, self.errors, codes = {}, {}, {}, {}
        try:
            for rank, process in self.processes.items():
                left = max(0.1, timeout - (time.monotonic() - self.start))
                self.outputs[rank], self.errors[rank] = process.communicate(timeout=left)
                codes[rank] = process.returncode
                self.ends[rank] = time.monotonic()
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait()
        return codes


class Ranks(unittest.TestCase):
    def succeed(self, job):
        codes = job.wait()
        self.assertEqual(set(codes.values()), {0}, "\n".join(job.errors.values()))
        return job

    def test_collectives(self):
        for world_size in (2, 3):
            job = self.succeed(Job(world_size, "collectives"))
            self.assertIn(f"collectives of {world_size} ranks", job.outputs[0])

    def test_meeting_by_tcp_and_file(self):
        address = f"tcp://localhost:{free_port()}"
        self.succeed(Job(2, "collectives", AUDYN_TEST_INIT_METHOD=address, MASTER_ADDR=""))
        path = pathlib.Path("store").absolute()
        path.unlink(missing_ok=True)
        self.succeed(Job(2, "collectives", AUDYN_TEST_INIT_METHOD=f"file://{path}", MASTER_ADDR=""))

    def test_a_listening_socket_handed_down(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            os.set_inheritable(server.fileno(), True)
            port, number = server.getsockname()[1], server.fileno()
            self.succeed(Job(2, "collectives", pass_fds=(number,), MASTER_PORT=port, AUDYN_STORE_LISTEN_FD=number))

    def test_a_rank_that_does_not_join(self):
        job = Job(3, "collectives", ranks=(0, 2), AUDYN_TEST_TIMEOUT=2)
        self.assertEqual(job.wait(), {0: 1, 2: 1})
        self.assertIn("rank 1 of 3 did not join the job within 2.0 s", job.errors[0])
        job = Job(2, "collectives", ranks=(1,), AUDYN_TEST_TIMEOUT=2)
        self.assertEqual(job.wait(), {1: 1})
        self.assertIn("rank 1 cannot reach the store of its job at 127.0.0.1:", job.errors[1])

    def test_a_barrier_names_the_missing(self):
        job = Job(3, "barrier", 1)
        job.wait()
        for rank in (0, 2):
            self.assertRegex(job.errors[rank], "barrier: rank 1 did not come within 1.0 s|rank [02] failed: barrier: rank 1")

    def test_an_exception_ends_all(self):
        for place in ("computation", "barrier", "collective"):
            for thrower in (0, 1):
                with self.subTest(place, thrower=thrower):
                    job = Job(3, "exception", thrower, place)
                    codes = job.wait()
                    self.assertEqual(codes, {0: 1, 1: 1, 2: 1}, job.errors)
                    self.assertLess(max(job.ends.values()) - job.start, 8)
                    self.assertIn("error: the data are bad", job.errors[thrower])
                    for rank in {0, 1, 2} - {thrower}:
                        self.assertIn(f"rank {thrower} failed: the data are bad", job.errors[rank])

    def test_who_holds_the_store_leaves_last(self):
        job = self.succeed(Job(3, "leaving"))
        self.assertEqual([job.outputs[rank] for rank in range(3)], ["", "done\n", "done\n"])
        job = Job(2, "leaving", 1)
        self.assertEqual(job.wait(), {0: 0, 1: 3})
        self.assertLess(max(job.ends.values()) - job.start, 15)

    def test_inference_loses_and_doubles_nothing(self):
        for samples in (1, 7):
            folder = pathlib.Path(f"inference{samples}")
            shutil.rmtree(folder, ignore_errors=True)
            job = self.succeed(Job(3, "inference", samples, samples, folder))
            self.assertEqual({text.splitlines()[-1] for text in job.outputs.values()}, {f"{samples} samples"})
            self.assertEqual({path.name for path in folder.iterdir()}, {f"{name}.pth" for name in range(samples)})
        job = Job(2, "inference", 4, 3, "inference_twice")  # samples 0 and 3 have one name
        self.assertEqual(set(job.wait().values()), {1})
        self.assertIn("inference_twice/0.pth", "".join(job.errors.values()))

    def wait_until_ready(self, job):
        for process in job.processes.values():
            self.assertEqual(process.stdout.readline(), "ready\n")

    def test_a_killed_rank_ends_all(self):
        for victim in (0, 1):
            with self.subTest(victim=victim):
                job = Job(3, "endless")
                self.wait_until_ready(job)
                begin = time.monotonic()
                job.processes[victim].kill()
                codes = job.wait()
                self.assertLess(max(job.ends.values()) - begin, 5)
                self.assertEqual(codes, {rank: -signal.SIGKILL if rank == victim else 1 for rank in range(3)})
                others = "".join(text for rank, text in job.errors.items() if rank != victim)
                self.assertIn("rank 0" if victim == 0 else "rank 1 gives no sign of life", others)

    def test_a_hanging_rank_ends_all(self):
        for victim in (0, 2):
            with self.subTest(victim=victim):
                job = Job(3, "endless", AUDYN_TEST_TIMEOUT=3)
                self.wait_until_ready(job)
                begin = time.monotonic()
                job.processes[victim].send_signal(signal.SIGSTOP)
                others = {rank: process for rank, process in job.processes.items() if rank != victim}
                try:
                    for rank, process in others.items():
                        self.assertEqual(process.wait(timeout=30), 1)
                    self.assertLess(time.monotonic() - begin, 8)
                finally:
                    job.processes[victim].kill()
                job.wait()
                text = "".join(job.errors[rank] for rank in others)
                self.assertRegex(text, "rank 0.* gives no sign of life" if victim == 0 else "rank 2 gives no sign of life")


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
