"""Real torchrun starts a program without libtorch: on one machine, on two that are network namespaces, and as the program
itself asks for. The processes know who they are, and failures are told."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from importlib.metadata import version

import several_ranks

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"]) / "launch_program"
TORCHRUN = pathlib.Path(sys.executable).parent / "torchrun"
UNPACKED = pathlib.Path(os.environ.get("AUDYN_ENGINES_DIR", "/nowhere")) / "iproute2"
IP = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin:{UNPACKED}/bin:{UNPACKED}/sbin")

ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")},
               "PATH": f"{TORCHRUN.parent}:{os.environ['PATH']}"}


def fields(line):
    """Of a line in which a process tells who it is."""
    return dict(re.findall(r"(\w+)=((?:(?! \w+=).)*)", line[line.index("rank="):]))


def ranks(output):
    return sorted((fields(line) for line in output.splitlines() if "local_world_size=" in line),
                  key=lambda process: int(process["rank"]))


class OneMachine(unittest.TestCase):
    def run_torchrun(self, *arguments, code=0, **variables):
        process = subprocess.run([str(TORCHRUN), "--no-python", *arguments], capture_output=True, text=True, timeout=120,
                                 check=False, env={**ENVIRONMENT, **variables})
        self.assertEqual(process.returncode, code, process.stdout + process.stderr)
        return process

    def test_standalone(self):
        processes = ranks(self.run_torchrun("--standalone", "--nproc-per-node", "2", "--max-restarts", "2",
                                            PROGRAM, "system=cpu_ddp").stdout)
        self.assertEqual([process["rank"] for process in processes], ["0", "1"])
        for process in processes:
            self.assertEqual(process["started_by"], "torchrun")
            self.assertEqual((process["world_size"], process["local_world_size"], process["local_rank"]),
                             ("2", "2", process["rank"]))
            self.assertEqual((process["nodes"], process["node_rank"]), ("1", "0"))
            self.assertEqual((process["restart_count"], process["max_restarts"]), ("0", "2"))
        self.assertEqual(len({(process["master"], process["run_id"], process["agent_store"]) for process in processes}), 1)
        self.assertRegex(processes[0]["master"], r".+:\d+$")

    def test_one_process_is_a_worker(self):
        process, = ranks(self.run_torchrun("--standalone", PROGRAM, "system=cpu_ddp",
                                           "system.distributed.nproc_per_node=2").stdout)
        self.assertEqual((process["world_size"], process["started_by"]), ("1", "torchrun"))

    def test_a_restart_is_counted(self):
        out = self.run_torchrun("--standalone", "--nproc-per-node", "2", "--max-restarts", "1", PROGRAM, "+rank_1=['exit:3']",
                                "+again=[none]").stdout
        self.assertEqual(sorted(process["restart_count"] for process in ranks(out))[-2:], ["1", "1"])

    def test_the_error_file_is_read(self):
        process = self.run_torchrun("--standalone", "--nproc-per-node", "2", PROGRAM, "+rank_1=['throw:the loss is not finite']",
                                    "+rank_0=['sleep:30']", code=1)
        self.assertRegex(process.stderr, r"Root Cause[^#]*rank +: 1 [^#]*TrainingError: the loss is not finite")

    def test_one_of_two_may_not_train_alone(self):
        process = self.run_torchrun("--standalone", "--nproc-per-node", "2", PROGRAM, "system=cpu", code=1)
        self.assertIn("'system.distributed.enable' is false, but torchrun started this program", process.stderr)


class Machines:
    """A mix-in: two network namespaces with one link between them."""

    ADDRESSES = ("10.9.0.1", "10.9.0.2")

    def setUp(self):
        self.holders = [subprocess.Popen(["unshare", "--net", "sleep", "300"]) for _ in self.ADDRESSES]
        self.addCleanup(self.remove)
        here = os.readlink("/proc/self/ns/net")
        limit = time.monotonic() + 10
        while any(os.readlink(f"/proc/{holder.pid}/ns/net") == here for holder in self.holders):
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)
        first, second = (str(holder.pid) for holder in self.holders)
        self.ip(0, "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", second)
        for node, address in enumerate(self.ADDRESSES):
            self.ip(node, "address", "add", f"{address}/24", "dev", "link0")
            self.ip(node, "link", "set", "link0", "up")
            self.ip(node, "link", "set", "lo", "up")

    def remove(self):
        for holder in self.holders:
            holder.kill()
            holder.wait()

    def inside(self, node, *arguments):
        return ["nsenter", f"--net=/proc/{self.holders[node].pid}/ns/net", *map(str, arguments)]

    def ip(self, node, *arguments):
        libraries = f"{UNPACKED}/usr/lib/x86_64-linux-gnu:{UNPACKED}/lib/x86_64-linux-gnu"
        subprocess.run(self.inside(node, IP, *arguments), check=True, capture_output=True,
                       env={**ENVIRONMENT, **({"LD_LIBRARY_PATH": libraries} if IP.startswith(str(UNPACKED)) else {})})


class TwoMachines(Machines, unittest.TestCase):
    def run_nodes(self, *arguments, command=(PROGRAM, "system=cpu_ddp", f"+torch_version={version('torch')}")):
        """The program, run bare on both; torchrun reads from PET_ variables what the machines are to each other."""
        nodes = [subprocess.Popen(self.inside(node, *command, "system.distributed.nodes=2",
                                              "system.distributed.max_restarts=0", *arguments),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                  env={**ENVIRONMENT, "PET_LOCAL_ADDR": address, "PET_NODE_RANK": str(node),
                                       "PET_RDZV_CONF": f"is_host={1 - node}"})
                 for node, address in enumerate(self.ADDRESSES)]
        results = []
        for node in nodes:
            try:
                out, err = node.communicate(timeout=120)
            finally:
                try:
                    os.killpg(node.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            results.append((node.returncode, out, err))
        return results

    def check_ranks(self, results, nproc):
        for code, out, err in results:
            self.assertEqual(code, 0, out + err)
        processes = ranks(results[0][1]) + ranks(results[1][1])
        self.assertEqual(sorted(process["rank"] for process in processes), [str(rank) for rank in range(2 * nproc)])
        for process in processes:
            self.assertEqual((process["world_size"], process["local_world_size"], process["nodes"], process["started_by"]),
                             (str(2 * nproc), str(nproc), "2", "torchrun"))
            self.assertEqual(int(process["node_rank"]), int(process["rank"]) // nproc)
            self.assertEqual(int(process["local_rank"]), int(process["rank"]) % nproc)
            self.assertEqual(process["run_id"], "job 7")
        self.assertEqual(len({process["master"] for process in processes}), 1)
        return processes

    def test_c10d(self):
        results = self.run_nodes("system.distributed.nproc_per_node=2", "system.distributed.rdzv_endpoint=10.9.0.1:29400",
                                 "system.distributed.rdzv_id='job 7'")
        processes = self.check_ranks(results, 2)
        self.assertRegex(processes[0]["master"], r"^10\.9\.0\.[12]:\d+$")
        self.assertIn("torchrun --no-python --nnodes 2 --nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint 10.9.0.1:29400 "
                      "--rdzv-id 'job 7' ", results[0][2])

    def test_static(self):
        results = self.run_nodes("system.distributed.nproc_per_node=1", "system.distributed.rdzv_endpoint=10.9.0.1:29401",
                                 "system.distributed.rdzv_id='job 7'", "system.distributed.rdzv_backend=static")
        processes = self.check_ranks(results, 1)
        self.assertEqual(processes[0]["master"], "10.9.0.1:29401")
        self.assertIn(" --node-rank 1 ", results[1][2])

    def test_a_training_has_the_bits_of_the_built_in_launch(self):
        several_ranks.run(several_ranks.training("one_machine", "system.distributed.nproc_per_node=2"), ENVIRONMENT)
        results = self.run_nodes("system.distributed.nproc_per_node=1", "system.distributed.rdzv_endpoint=10.9.0.1:29402",
                                 "system.distributed.rdzv_id=job8", command=several_ranks.training("two_machines"))
        for code, out, err in results:
            self.assertEqual(code, 0, out + err)
        self.assertEqual(several_ranks.differences("one_machine", "two_machines"), [])

    def test_another_version_is_refused(self):
        results = self.run_nodes("system.distributed.rdzv_endpoint=10.9.0.1:29400", "torch_version=1.2.3")
        for code, _, err in results:
            self.assertEqual(code, 1)
            self.assertIn(f"'{TORCHRUN}' belongs to torch {version('torch')}, but this program is linked to libtorch 1.2.3; "
                          "they must have the same minor version", err)


def namespaces():
    """Nothing when this process may make network namespaces, else why it may not."""
    if not IP:
        return "ip (of iproute2) is not on this machine"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0:
        return None
    as_root = ["unshare", "--user", "--map-root-user"]  # where the system lets everybody
    if subprocess.run([*as_root, "--net", "true"], capture_output=True, check=False).returncode == 0:
        os.execvp(as_root[0], [*as_root, sys.executable, *sys.argv])
    return "this user may not make network namespaces"


if __name__ == "__main__":
    missing = namespaces()
    if missing:
        del TwoMachines
    success = unittest.main(verbosity=2, exit=False).result.wasSuccessful()
    if missing:
        print(f"two machines were not tried: {missing}", file=sys.stderr)
    sys.exit(1 if not success else 77 if missing else 0)
