"""The same sweeps, runs and questions for Hydra itself and for a program of the toolkit: jobs, records and tables agree."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import yaml

PROGRAM = pathlib.Path(os.environ["AUDYN_BIN_DIR"]) / "config_program"

APPLICATION = """
import hydra

@hydra.main(config_path="conf", config_name="config", version_base="1.2")
def main(config):
    pass

main()
"""

FILES = {
    "conf/config.yaml": """
defaults:
  - db: mysql
  - stage@first.stage: one
  - cache: null
  - optional absent: x
  - _self_
  - override /stage/part@first.stage.part: big
lr: 0.1
flag: true
name: a b
""",
    "conf/db/mysql.yaml": "host: m\n",
    "conf/db/pg.yaml": "defaults: [base, _self_]\nhost: p\n",
    "conf/db/base.yaml": "port: 1\n",
    "conf/cache/redis.yaml": "x: 1\n",
    "conf/stage/one.yaml": "defaults: [part: small, _self_]\nn: ${lr}\n",
    "conf/stage/two.yaml": "n: 2\n",
    "conf/stage/part/small.yaml": "size: 1\n",
    "conf/stage/part/big.yaml": "size: 2\n",
}

SWEEPS = [
    ["lr=range(0,0.5,0.1)", "db=glob(*)", "~flag", '+n={a:1,b: [x,"y z"]}', 'name="q,r"'],
    ["lr=1,1e-3,1E20,null,true", "name='it\\'s',\"x\\\\\",a b,a\\,b"],
    ["+db@second=choice(mysql,pg)", "lr=range(1.1,20,3.3)", "lr=range(5,0,-2)", "cache=redis"],
    ["db=glob([m*,p*],exclude=pg)", "name=x${lr},y", "lr=sort(3,2,1)", "++flag=tag(t,choice(1,2))"],
    ["lr=range(-0.3,0.31,0.1)", "name="],
    ["lr=4"],
]


class Hydra(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path("hydra_beside").absolute()
        shutil.rmtree(cls.folder, ignore_errors=True)
        for name, text in {**FILES, "config_program.py": APPLICATION}.items():
            path = cls.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run_both(self, *arguments):
        """Standard output of Hydra and of the toolkit."""
        outputs = []
        for command in ([sys.executable, "config_program.py"], [str(PROGRAM), "--config-path", "conf"]):
            process = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, check=False,
                                     cwd=self.folder)
            self.assertEqual(process.returncode, 0, f"{command} {arguments}\n{process.stdout}\n{process.stderr}")
            outputs.append(process.stdout)
        return outputs

    def compare(self, ours, theirs):
        """The records of one folder: the job's configuration whole, of the run's own what both know."""
        for name in ("config.yaml", "overrides.yaml"):
            self.assertEqual((ours / name).read_text(), (theirs / name).read_text())
        own, other = (yaml.safe_load((folder / "hydra.yaml").read_text())["hydra"] for folder in (ours, theirs))
        for key in ("mode", "searchpath", "output_subdir", "job", "env", "verbose"):
            self.assertEqual(own[key], other[key], key)
        self.assertEqual(own["overrides"]["task"], other["overrides"]["task"])
        self.assertEqual(own["runtime"]["cwd"], other["runtime"]["cwd"])
        self.assertEqual(list(own["runtime"]["choices"].items()), list(other["runtime"]["choices"].items()))
        self.assertEqual([key for key in own if key in other], [key for key in other if key in own])

    def test_sweeps(self):
        for number, overrides in enumerate(SWEEPS):
            with self.subTest(overrides=overrides):
                for command, name in (([sys.executable, "config_program.py"], "theirs"),
                                      ([str(PROGRAM), "--config-path", "conf"], "ours")):
                    subprocess.run([*command, "-m", *overrides, f"hydra.sweep.dir={name}/{number}"], cwd=self.folder,
                                   capture_output=True, timeout=300, check=True)
                ours, theirs = (self.folder / name / str(number) for name in ("ours", "theirs"))
                jobs = sorted(path.name for path in theirs.iterdir() if path.is_dir())
                self.assertEqual(sorted(path.name for path in ours.iterdir() if path.is_dir()), jobs)
                for job in jobs:
                    self.compare(ours / job / ".hydra", theirs / job / ".hydra")
                own, other = (yaml.safe_load((folder / "multirun.yaml").read_text()) for folder in (ours, theirs))
                self.assertEqual(own["hydra"]["job"], other["hydra"]["job"])
                self.assertEqual(own["hydra"]["overrides"]["task"], other["hydra"]["overrides"]["task"])
                del own["hydra"], other["hydra"]
                self.assertEqual(own, other)

    def test_a_run(self):
        overrides = ["lr=3", "db=pg", "+name2='x y'", "hydra.job.config.override_dirname.kv_sep=-",
                     "hydra.job.config.override_dirname.item_sep=__",
                     "hydra.job.config.override_dirname.exclude_keys=[db]"]
        for command, name in (([sys.executable, "config_program.py"], "theirs"),
                              ([str(PROGRAM), "--config-path", "conf"], "ours")):
            folder = f"hydra.run.dir={name}/run/${{hydra.job.override_dirname}}/${{db.host}}"
            subprocess.run([*command, *overrides, folder], cwd=self.folder, capture_output=True, timeout=300, check=True)
        ours, theirs = (self.folder / name / "run" / "+name2-'x y'__lr-3" / "p/.hydra" for name in ("ours", "theirs"))
        self.compare(ours, theirs)

    def test_defaults(self):
        for overrides in ([], ["db=pg", "cache=redis"], ["stage@first.stage=one", "+db@again=pg"]):
            with self.subTest(overrides=overrides):
                theirs, ours = self.run_both("--info", "defaults-tree", *overrides)
                self.assertEqual(ours.strip(), theirs.strip())
                theirs, ours = self.run_both("--info", "defaults", *overrides)
                cells = [[[cell.strip() for cell in line.split("|")[1:5]] for line in text.splitlines()
                          if line.startswith("|")] for text in (ours, theirs)]
                self.assertEqual(cells[0], cells[1])

    def test_what_cfg_shows(self):
        for arguments in (["job"], ["job", "--resolve"], ["job", "-p", "first.stage"], ["job", "-p", "lr"],
                          ["job", "-p", "_global_"], ["hydra", "-p", "hydra.run"], ["hydra", "-p", "hydra.sweep"],
                          ["hydra", "-p", "hydra.job"], ["hydra", "-p", "hydra.overrides", "lr=2", "hydra.verbose=true"],
                          ["all", "-p", "db"], ["all", "-p", "hydra.runtime.choices"]):
            with self.subTest(arguments=arguments):
                theirs, ours = self.run_both("--cfg", *arguments)
                self.assertEqual(ours, theirs)
        theirs, ours = self.run_both("--cfg", "all")
        top = [re.findall(r"^(\w.*?):", text, re.M) for text in (ours, theirs)]
        self.assertEqual(top[0], top[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
