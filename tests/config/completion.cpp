#include "support.hpp"

#include <audyn/config/completion.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

audyn::config::Program program() {
    audyn::config::Program result;
    result.search_path = config_test::search_path(
        {{"config", "defaults:\n  - db: mysql\n  - schedule@train.schedule: cosine\n  - model: \?\?\?\n  - _self_\n"
                    "train: {steps: {epochs: 3, iterations: null}, amp: true, layers: [{width: 4}, {width: 8}]}\n"
                    "optimizer: {_target_: Adam, name: 'two words', lr: 1e-3, path: '${db.host}'}\nempty: {}\n"},
         {"other", ""},
         {"db/mysql", "host: local\n"},
         {"db/postgres", "host: local\nport: 5432\n"},
         {"db/pool/small", ""},
         {"schedule/cosine", "floor: 0\n"},
         {"schedule/constant", ""},
         {"model/cnn", "width: 3\n"}});
    result.target_names = [] { return Texts{"Adam", "AdamW", "SGD"}; };
    return result;
}

Texts complete(const std::string& line) {
    audyn::config::CommandLine command_line;
    command_line.completed_line = line;
    return audyn::config::detail::Completer(command_line, program()).run();
}

} // namespace

TEST_CASE("words of a line") {
    using audyn::config::detail::shell_words;
    CHECK(shell_words("./train a=1  b='x y' \"c d\"e f\\ g") == Texts{"./train", "a=1", "b=x y", "c de", "f g"});
    CHECK(shell_words("./train ") == Texts{"./train", ""});
    CHECK(shell_words("./train ''") == Texts{"./train", ""});
    CHECK(shell_words("./train 'a b") == Texts{"./train", "a b"});
}

TEST_CASE("groups and keys, one level at a time") {
    CHECK(complete("./train ") == Texts{"db.", "db/", "db=", "empty=", "model=", "optimizer.",
                                        "schedule=", "schedule@train.schedule=", "train."});
    CHECK(complete("./train t") == Texts{"train."});
    CHECK(complete("./train train.") == Texts{"train.amp=", "train.layers.", "train.schedule.", "train.steps."});
    CHECK(complete("./train train.layers.1.w") == Texts{"train.layers.1.width="});
    CHECK(complete("./train db/") == Texts{"db/pool="});
    CHECK(complete("./train +d") == Texts{"+db.", "+db/", "+db="});
    CHECK(complete("./train ++train.a") == Texts{"++train.amp="});
    CHECK(complete("./train ~train.st") == Texts{"~train.steps ", "~train.steps."});
    CHECK(complete("./train ~db") == Texts{"~db ", "~db.", "~db/"});
    CHECK(complete("./train x").empty());
    CHECK(complete("./trai").empty());
    CHECK(complete("./train hydra.run") == Texts{"hydra.run.", "hydra.runtime."});
    CHECK(complete("./train hydra.run.") == Texts{"hydra.run.dir="});
}

TEST_CASE("values of known choices") {
    CHECK(complete("./train db=") == Texts{"db=mysql ", "db=postgres "});
    CHECK(complete("./train -m db=mysql,p") == Texts{"db=mysql,postgres "});
    CHECK(complete("./train schedule@train.schedule=co") ==
          Texts{"schedule@train.schedule=constant ", "schedule@train.schedule=cosine "});
    CHECK(complete("./train +db/pool=") == Texts{"+db/pool=small "});
    CHECK(complete("./train train.amp=") == Texts{"train.amp=false ", "train.amp=true "});
    CHECK(complete("./train train.amp=t") == Texts{"train.amp=true "});
    CHECK(complete("./train train.steps.epochs=") == Texts{"train.steps.epochs=3 "});
    CHECK(complete("./train train.steps.iterations=") == Texts{"train.steps.iterations=null "});
    CHECK(complete("./train optimizer.path=") == Texts{"optimizer.path=local "});
    CHECK(complete("./train optimizer._target_=A") == Texts{"optimizer._target_=Adam ", "optimizer._target_=AdamW "});
    CHECK(complete("./train optimizer.unknown=").empty());
}

TEST_CASE("what stands before the word counts") {
    CHECK(complete("./train db.") == Texts{"db.host="});
    CHECK(complete("./train db=postgres db.") == Texts{"db.host=", "db.port="});
    CHECK(complete("./train db=nope db.") == Texts{"db.host="});
    CHECK(complete("./train model=cnn model.") == Texts{"model.width="});
    CHECK(complete("./train -m db=mysql,postgres train.a") == Texts{"train.amp="});
    CHECK(complete("./train --config-name other d") == Texts{"db/", "db="});
    CHECK(complete("./train --cfg --config-name=other d") == Texts{"db/", "db="});
}

TEST_CASE("options and their arguments") {
    CHECK(complete("./train --c") == Texts{"--cfg ", "--config-dir ", "--config-name ", "--config-path "});
    CHECK(complete("./train --job").empty());
    CHECK(complete("./train --cfg ") == Texts{"all ", "diff ", "hydra ", "job "});
    CHECK(complete("./train -i d") == Texts{"defaults ", "defaults-tree "});
    CHECK(complete("./train --info=s") == Texts{"--info=searchpath "});
    CHECK(complete("./train -sc ") == Texts{"bash ", "zsh "});
    CHECK(complete("./train -cn o") == Texts{"other "});
    CHECK(complete("./train --cfg job --package train.st") == Texts{"train.steps."});
    CHECK(complete("./train db=postgres --package db.p") == Texts{"db.port "});
    CHECK(complete("./train --config-dir ").empty());
}
