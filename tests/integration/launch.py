"""The built-in launcher: what its workers get, their output, failures, restarts and signals, with a program without
libtorch."""

import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unittest

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"]) / "launch_program"

ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("RANK", "WORLD_SIZE", "OMP_NUM_THREADS") and not name.startswith(("SLURM_", "OMPI_", "PMI"))}


def command(nproc, *arguments, restarts=0):
    return [str(PROGRAM), "system=cpu_ddp", f"system.distributed.nproc_per_node={nproc}",
            f"system.distributed.max_restarts={restarts}", *arguments]


def start(nproc, *arguments, restarts=0, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT, **options}
    return subprocess.Popen(command(nproc, *arguments, restarts=restarts), start_new_session=True, **options)


def alive(session):
    """Processes of the session, workers and what they started, that have not ended."""
    result = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            result.append(int(stat.parent.name))
    return result


class Launch(unittest.TestCase):
    def end_of(self, process, limit=5):
        """Waits for the end, which must come within `limit` seconds and leave no process. Gives output and errors."""
        begin = time.monotonic()
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        while alive(process.pid) and time.monotonic() - begin < limit:
            time.sleep(0.01)
        self.assertLess(time.monotonic() - begin, limit, out + err)
        self.assertEqual(alive(process.pid), [], out + err)
        return out, err

    def run_job(self, nproc, *arguments, code=0, limit=5, restarts=0, **options):
        process = start(nproc, *arguments, restarts=restarts, **options)
        out, err = self.end_of(process, limit)
        self.assertEqual(process.returncode, code, out + err)
        return out, err

    def wait_for(self, process, text, stream=None):
        """Reads a running job's output until it holds the text."""
        stream = stream or process.stdout
        seen = ""
        limit = time.monotonic() + 30
        while text not in seen:
            self.assertLess(time.monotonic(), limit, seen)
            if select.select([stream], [], [], 0.1)[0]:
                piece = os.read(stream.fileno(), 65536).decode()
                self.assertNotEqual(piece, "", seen)
                seen += piece
        return seen

    def wait_for_all(self, process, nproc, text):
        seen = ""
        while seen.count(text) < nproc:
            seen += self.wait_for(process, text)
        return seen


class Workers(Launch):
    def test_environment(self):
        out, err = self.run_job(3)
        self.assertEqual(err, "")
        lines = [re.fullmatch(r"(?:\[rank (\d)\] )?rank=(\d) (.*) pid=\d+", line)
                 for line in out.splitlines() if "rank=" in line]
        self.assertEqual(sorted((line[1], line[2]) for line in lines if line[1]), [("1", "1"), ("2", "2")])
        self.assertEqual([line[2] for line in lines if not line[1]], ["0"])
        masters = set()
        for line in lines:
            fields = dict(field.split("=", 1) for field in re.split(r" (?=\w+=)", line[3]))
            masters.add((fields.pop("master"), fields.pop("run_id")))
            self.assertEqual(fields.pop("local_rank"), line[2])
            self.assertEqual(fields.pop("listens"), "1" if line[2] == "0" else "0")
            self.assertEqual(fields.pop("threads"), str(max(1, len(os.sched_getaffinity(0)) // 3)))
            self.assertEqual(fields, {
                "world_size": "3", "local_world_size": "3", "node_rank": "0", "nodes": "1", "restart_count": "0",
                "max_restarts": "0", "started_by": "the built-in launcher", "agent_store": "0", "terminal": "00"})
        self.assertEqual(len(masters), 1)
        self.assertRegex(masters.pop()[0], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(len(set(re.findall(r"started at (\d+)", out))), 1)

    def test_threads_that_were_chosen_stay(self):
        out, _ = self.run_job(2, env={**ENVIRONMENT, "OMP_NUM_THREADS": "7"})
        self.assertEqual(out.count("threads=7"), 2)

    def test_number_of_processes(self):
        cores = len(os.sched_getaffinity(0))
        out, _ = self.run_job("null")
        self.assertLessEqual(out.count(" world_size="), max(1, cores // 2))
        self.assertIn("started_by=the built-in launcher", out)
        out, _ = self.run_job(2, "system=default")
        self.assertEqual(out.count(" world_size=2 "), 2)

    def test_output_comes_in_whole_lines(self):
        out, err = self.run_job(3, "+actions=['lines:20000','out:no end']", limit=30)
        self.assertEqual(err, "")
        own = re.sub(r"^\[rank \d\] .*\n", "", out, flags=re.M)
        self.assertEqual([line for line in own.splitlines() if line.startswith("line")],
                         [f"line {number}" for number in range(20000)])
        for rank in (1, 2):
            numbers = re.findall(rf"^\[rank {rank}\] line (\d+)$", out, re.M)
            self.assertEqual(numbers, [str(number) for number in range(20000)])
            self.assertEqual(len(re.findall(rf"^\[rank {rank}\] no end$", out, re.M)), 1)
        self.assertEqual(out.count("no end"), 3)

    def test_streams_stay_apart(self):
        out, err = self.run_job(2, "+actions=['line:to out','error:to err']")
        self.assertIn("[rank 1] to out\n", out)
        self.assertEqual(sorted(err.splitlines()), ["[rank 1] to err", "to err"])

    def test_rank_0_keeps_the_terminal(self):
        master, slave = pty.openpty()
        process = start(2, "+actions=['line:hello']", stdout=slave, stderr=subprocess.PIPE)
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 65536):
                text += piece
        except OSError:  # the other end is closed
            pass
        os.close(master)
        self.assertEqual(process.wait(timeout=10), 0)
        process.stderr.close()
        text = text.decode().replace("\r\n", "\n")
        self.assertRegex(text, r"(?m)^(\r\x1b\[K)?rank=0 .* terminal=10 ")
        self.assertRegex(text, r"\r\x1b\[K\[rank 1\] rank=1 .* terminal=00 ")
        self.assertIn("\r\x1b[K[rank 1] hello\n", text)

    def test_a_reader_who_pauses_does_not_stop_the_launcher(self):
        process = start(2, "+actions=['lines:400000']")
        self.wait_for(process, "line")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.assertEqual([pid for pid in alive(process.pid) if pid != process.pid], [])
        self.end_of(process, 10)
        self.assertEqual(process.returncode, 143)

    def test_a_reader_who_leaves_does_not_end_the_job(self):
        process = start(2, "+actions=['line:hello','sleep:0.5','lines:100000','exit:7']")
        self.wait_for(process, "hello")
        process.stdout.close()
        self.assertEqual(process.wait(timeout=20), 7)
        process.stderr.close()

    def test_waiting_costs_no_time(self):
        process = start(2, "+actions=['line:hello','sleep:2']")
        self.wait_for_all(process, 2, "hello")
        ticks = lambda: sum(map(int, pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        before = ticks()
        time.sleep(1)
        self.assertLessEqual(ticks() - before, 2)
        self.end_of(process)


class Failures(Launch):
    def test_exit_codes_and_messages(self):
        for actions, code, message in (
                ("exit:3", 3, "rank 1 of 3 failed first, with exit code 3\n"),
                ("raise:11", 139, "rank 1 of 3 failed first, killed by SIGSEGV (Segmentation fault)\n"),
                ("raise:9", 137, "rank 1 of 3 failed first, killed by SIGKILL (Killed)\n"),
                ("raise:6", 134, "rank 1 of 3 failed first, killed by SIGABRT (Aborted)\n"),
                ("raise:15", 143, "rank 1 of 3 failed first, killed by SIGTERM (Terminated)\n"),
                ("throw:the loss is not finite", 1,
                 "rank 1 of 3 failed first, with exit code 1: TrainingError: the loss is not finite\n")):
            with self.subTest(actions):
                _, err = self.run_job(3, "+actions=['sleep:0.1']", "+rank_0=['sleep:60']", "+rank_2=['sleep:60']",
                                      f"+rank_1=['{actions}']", code=code)
                self.assertTrue(err.endswith("error: " + message), err)
                self.assertEqual(err.count("failed first"), 1)

    def test_rank_0_fails(self):
        _, err = self.run_job(2, "+rank_0=['throw:oh']", "+rank_1=['sleep:60']", code=1)
        self.assertEqual(err, "error: oh\nerror: rank 0 of 2 failed first, with exit code 1: TrainingError: oh\n")

    def test_the_last_lines_are_repeated_where_there_is_no_message(self):
        _, err = self.run_job(2, "+rank_1=['error:one','error:two','raise:11']", "+rank_0=['sleep:60']", code=139)
        self.assertTrue(err.endswith("(Segmentation fault); the last that it wrote to its error stream:\n  one\n  two\n"), err)

    def test_one_that_ignores_the_end_is_killed(self):
        begin = time.monotonic()
        _, err = self.run_job(2, "+rank_0=['ignore:15','sleep:60']", "+rank_1=['sleep:0.2','exit:4']", code=4)
        self.assertGreater(time.monotonic() - begin, 3)
        self.assertIn("warning: rank 0 did not end within 3 s and is killed\n", err)
        self.assertTrue(err.endswith("error: rank 1 of 2 failed first, with exit code 4\n"), err)

    def test_one_that_was_stopped_ends_too(self):
        process = start(2, "+rank_0=['line:ready','sleep:60']", "+rank_1=['sleep:1','exit:4']")
        pid = int(re.search(r"(?m)^rank=0 .* pid=(\d+)", self.wait_for(process, "ready"))[1])
        os.kill(pid, signal.SIGSTOP)
        _, err = self.end_of(process)
        self.assertEqual(process.returncode, 4)
        self.assertNotIn("is killed", err)

    def test_a_crash_counts_before_what_others_tell_of_it(self):
        _, err = self.run_job(2, "+rank_0=['sleep:0.1','lose:rank 1 is gone']", "+rank_1=['sleep:0.3','raise:11']", code=139)
        self.assertIn("error: rank 1 of 2 failed first, killed by SIGSEGV", err)
        # The launcher notices both at once.
        process = start(2, "+rank_0=['line:ready','sleep:0.3','throw:connection reset']", "+rank_1=['sleep:0.6','raise:11']")
        self.wait_for(process, "ready")
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        _, err = self.end_of(process)
        self.assertEqual(process.returncode, 139)
        self.assertIn("error: rank 1 of 2 failed first, killed by SIGSEGV", err)

    def test_a_lost_connection_without_a_cause_ends_the_others(self):
        _, err = self.run_job(2, "+rank_0=['lose:rank 1 is gone']", "+rank_1=['sleep:60']", code=1)
        self.assertIn("error: rank 0 of 2 failed first, with exit code 1: DistributedError: rank 1 is gone\n", err)

    def test_the_error_counts_before_what_others_tell_of_it(self):
        # Rank 1 fails, but takes longer to leave than rank 0, which it has told.
        _, err = self.run_job(2, "+rank_0=['sleep:0.3','lose:rank 1 has failed']",
                              "+rank_1=['sleep:0.2','report:the cause','sleep:0.3','exit:5']", code=5)
        self.assertEqual(err.splitlines()[-1],
                         "error: rank 1 of 2 failed first, with exit code 5: TrainingError: the cause")
        # Too long, so that it is asked to end.
        _, err = self.run_job(2, "+rank_0=['sleep:0.3','lose:rank 1 has failed']",
                              "+rank_1=['sleep:0.2','report:the cause','sleep:60']", code=1)
        self.assertEqual(err.splitlines()[-1],
                         "error: rank 1 of 2 failed first, with exit code 1: TrainingError: the cause")

    def test_what_a_worker_started_ends_with_it(self):
        self.run_job(2, "+actions=['child:60']")
        self.run_job(2, "+actions=['child:60']", "+rank_1=['exit:3']", code=3)

    def test_a_worker_that_ends_well_ends_no_other(self):
        out, _ = self.run_job(2, "+rank_0=['sleep:1','line:later']")
        self.assertIn("later", out)

    def test_the_launcher_is_killed(self):
        for number in (signal.SIGKILL, signal.SIGSEGV):
            process = start(3, "+actions=['ignore:15','ignore:1','line:ready','sleep:60']")
            self.wait_for_all(process, 3, "ready")
            self.assertEqual(len(alive(process.pid)), 4)
            process.send_signal(number)
            self.end_of(process)
            self.assertEqual(process.returncode, -number)

    def test_the_launcher_is_killed_at_the_start(self):
        for delay in range(20):
            process = start(4, "+actions=['sleep:60']")
            time.sleep(delay * 0.002)
            process.kill()
            self.end_of(process)


class Restarts(Launch):
    def test_all_are_started_again(self):
        out, err = self.run_job(2, "+actions=['line:first']", "+rank_1=['sleep:0.3','exit:3']", "+again=['line:second']", restarts=2)
        self.assertEqual(out.count("first"), 2)
        self.assertEqual(out.count("second"), 2)
        self.assertEqual(out.count("restart_count=1 max_restarts=2"), 2)
        self.assertEqual(err, "warning: rank 1 of 2 failed first, with exit code 3\n"
                              "warning: all ranks are started again (restart 1 of 2)\n")
        self.assertEqual(len(set(re.findall(r"run_id=(\S+)", out))), 1)
        self.assertEqual(len(set(re.findall(r"master=(\S+)", out))), 2)
        self.assertEqual(len(set(re.findall(r"started at (\d+)", out))), 1)
        self.assertEqual(out.count("listens=1"), 2)

    def test_not_for_ever(self):
        out, err = self.run_job(2, "+rank_1=['sleep:0.3','exit:3']", "+again=['sleep:0.3','exit:4']", code=4, restarts=2)
        self.assertEqual(out.count("restart_count=2 "), 2)
        self.assertEqual(err.count("warning: all ranks are started again"), 2)
        self.assertRegex(err, r"error: rank \d of 2 failed first, with exit code 4\n$")

    def test_a_mistake_is_not_repeated(self):
        out, err = self.run_job(2, "+rank_1=['sleep:0.3','mistake:x is wrong']", "+rank_0=['sleep:60']", code=1, restarts=2)
        self.assertEqual(out.count("restart_count"), 2)
        self.assertTrue(err.endswith("error: rank 1 of 2 failed first, with exit code 1: ConfigError: x is wrong\n"), err)

    def test_killed_again_and_again(self):
        process = start(2, "+actions=['line:ready','sleep:60']", "+again=['line:ready','sleep:60']", restarts=3)
        for _ in range(4):
            text = self.wait_for_all(process, 2, "ready")
            os.kill(int(re.findall(r"\] rank=1 .* pid=(\d+)", text)[-1]), signal.SIGKILL)
        self.end_of(process)
        self.assertEqual(process.returncode, 137)


class Signals(Launch):
    def train(self, nproc=2, *arguments, **options):
        process = start(nproc, "+actions=['train:60']", *arguments, restarts=3, **options)
        self.wait_for_all(process, nproc, "training")
        return process

    def test_workers_save_and_leave(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.train()
            process.send_signal(number)
            out, err = self.end_of(process)
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(out.count("saved and left"), 2)
            self.assertEqual(err, "")

    def test_a_signal_of_the_terminal_comes_once(self):
        # As Ctrl-C and timeout(1) do it, to the whole group of the launcher.
        process = self.train()
        os.killpg(process.pid, signal.SIGINT)
        out, _ = self.end_of(process)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(out.count("saved and left"), 2)

    def test_a_signal_to_all_processes_counts_once(self):
        # As job managers send it: to the launcher, which passes it on, and to the workers.
        for order in (1, -1):
            process = self.train()
            for pid in sorted(alive(process.pid))[::order]:
                os.kill(pid, signal.SIGTERM)
                time.sleep(0.05)
            out, _ = self.end_of(process)
            self.assertEqual(process.returncode, 143)
            self.assertEqual(out.count("saved and left"), 2)

    def test_a_second_signal_ends_at_once(self):
        process = self.train()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, _ = self.end_of(process)
        self.assertEqual(process.returncode, 130)
        self.assertNotIn("saved and left", out)

    def test_a_signal_that_only_saves(self):
        process = self.train()
        process.send_signal(signal.SIGUSR1)
        self.wait_for_all(process, 2, "saved\n")
        process.send_signal(signal.SIGTERM)
        self.end_of(process)
        self.assertEqual(process.returncode, 143)

    def test_a_signal_to_save_kills_none_that_cannot_hear_it(self):
        process = start(2, "+actions=['line:ready','sleep:1']")
        self.wait_for_all(process, 2, "ready")
        process.send_signal(signal.SIGUSR1)
        self.end_of(process)
        self.assertEqual(process.returncode, 0)

    def test_signals_that_no_worker_heeds(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = start(2, "+actions=['line:ready','sleep:60']", restarts=3)
            self.wait_for_all(process, 2, "ready")
            process.send_signal(number)
            _, err = self.end_of(process)
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(err, "")

    def test_a_second_signal_sets_a_limit(self):
        process = start(2, "+actions=['ignore:2','line:ready','sleep:60']")
        self.wait_for_all(process, 2, "ready")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertEqual(len(alive(process.pid)), 3)
        process.send_signal(signal.SIGINT)
        _, err = self.end_of(process)
        self.assertEqual(process.returncode, 137)
        self.assertEqual(err.count("is killed"), 2)

    def test_an_ignored_hangup_stays_ignored(self):
        # It does not count as a wish to end either: the failure after it is repaired.
        process = start(2, "+actions=['line:ready','sleep:1']", "+rank_1=['exit:3']", "+again=['line:done']", restarts=1,
                        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_all(process, 2, "ready")
        process.send_signal(signal.SIGHUP)
        out, _ = self.end_of(process)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(out.count("done"), 2)

    def test_failure_after_a_signal_is_told_and_not_repeated(self):
        process = start(2, "+actions=['ignore:15','line:ready','sleep:1']", "+rank_1=['exit:6']", "+rank_0=['sleep:60']",
                        restarts=3)
        self.wait_for_all(process, 2, "ready")
        process.send_signal(signal.SIGTERM)
        _, err = self.end_of(process)
        self.assertEqual(process.returncode, 6)
        self.assertIn("error: rank 1 of 2 failed first, with exit code 6\n", err)

    def test_suspended_workers_go_on(self):
        process = self.train()
        states = lambda: {pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                          for pid in alive(process.pid)}
        process.send_signal(signal.SIGTSTP)
        limit = time.monotonic() + 5
        while states() != {"T"} and time.monotonic() < limit:
            time.sleep(0.01)
        self.assertEqual(states(), {"T"})
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        out, _ = self.end_of(process)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(out.count("saved and left"), 2)


class Torchrun(Launch):
    """What needs no torchrun."""

    NODES = ["system=cuda_ddp", "system.distributed.nodes=2", "system.distributed.nproc_per_node=4"]

    def run_program(self, *arguments, code=0, path="/nowhere", **variables):
        process = subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, timeout=20, check=False,
                                 env={**ENVIRONMENT, "PATH": path, **variables})
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process.stdout if code == 0 else process.stderr

    def test_the_command_is_printed(self):
        self.assertEqual(
            self.run_program(*self.NODES, "system.distributed.rdzv_endpoint=node1:29400", "system.distributed.rdzv_id=7",
                             "--print-launch-command", "+name='two words'"),
            "torchrun --no-python --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint node1:29400 "
            f"--rdzv-id 7 --max-restarts 3 {PROGRAM} system=cuda_ddp system.distributed.nodes=2 "
            "system.distributed.nproc_per_node=4 system.distributed.rdzv_endpoint=node1:29400 "
            "system.distributed.rdzv_id=7 '+name='\"'\"'two words'\"'\"''\n")
        self.assertEqual(
            self.run_program("system=cpu_ddp", "system.distributed.nproc_per_node=2", "--print-launch-command"),
            f"torchrun --no-python --nnodes 1 --nproc-per-node 2 --standalone --max-restarts 3 {PROGRAM} system=cpu_ddp "
            "system.distributed.nproc_per_node=2\n")
        self.assertEqual(self.run_program("system=cpu", "--print-launch-command"), f"{PROGRAM} system=cpu\n")

    def test_without_torchrun_the_command_is_told(self):
        err = self.run_program(*self.NODES, "+torch_version=2.13.0", "system.distributed.rdzv_endpoint=node1:29400", code=1)
        self.assertRegex(err, r"^error: torchrun, .* is not on this one's PATH\. It comes with Python's torch 2\.13; .* On "
                              r"each node the command is:\n  torchrun --no-python --nnodes 2 .*rdzv_endpoint=node1:29400\n$")
        err = self.run_program(*self.NODES, "system.distributed.rdzv_endpoint=node1:29400", code=1,
                               *["system.distributed.rdzv_backend=static", "system.distributed.node_rank=0"])
        self.assertIn("(with the node's own --node-rank):\n  torchrun", err)

    def test_a_missing_option_is_told_with_its_key(self):
        err = self.run_program(*self.NODES, code=1)
        self.assertRegex(err, r"'system\.distributed\.rdzv_endpoint' is needed with several nodes: HOST:PORT")
        static = [*self.NODES, "system.distributed.rdzv_endpoint=a:1", "system.distributed.rdzv_backend=static"]
        err = self.run_program(*static, code=1)
        self.assertIn("'system.distributed.node_rank' is needed with rdzv_backend static", err)
        for variable in ("SLURM_NODEID", "PET_NODE_RANK"):
            self.assertIn(" --node-rank 1 ", self.run_program(*static, "--print-launch-command", **{variable: "1"}))
        self.assertIn(" --node-rank 0 ", self.run_program(*static, "--print-launch-command",
                                                          "system.distributed.node_rank=0", PET_NODE_RANK="1"))

    def test_a_process_of_several_may_not_train_alone(self):
        err = self.run_program("system=cpu", code=1, RANK="0", WORLD_SIZE="2", LOCAL_RANK="0", LOCAL_WORLD_SIZE="2",
                               TORCHELASTIC_RUN_ID="x")
        self.assertIn("'system.distributed.enable' is false, but torchrun started this program as one of 2 processes", err)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
