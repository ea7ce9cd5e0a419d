#include "support.hpp"

#include <audyn/config/override.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using audyn::config::Override;
using audyn::config::parse_override;
using config_test::error_of;

TEST_CASE("the parts of an override") {
    const Override plain = parse_override("train.steps.epochs=3");
    CHECK(plain.type == Override::Type::change);
    CHECK(plain.key == "train.steps.epochs");
    CHECK(plain.value() == audyn::config::Value(3));
    CHECK(plain.value().location().to_string() == "override 'train.steps.epochs=3'");

    const Override group = parse_override("+db/engine@here.there=mysql");
    CHECK(group.type == Override::Type::add);
    CHECK(group.key == "db/engine");
    CHECK(group.package == "here.there");
    CHECK(parse_override("++a=1").type == Override::Type::force_add);
    CHECK_FALSE(parse_override("~a").element.has_value());
    CHECK(parse_override("a=x,y").is_sweep());
    CHECK_FALSE(parse_override("a='x,y'").is_sweep());
}

TEST_CASE("mistakes are shown with a caret") {
    const std::vector<std::pair<std::string, std::string>> golden{
        {"a=b=c", "override 'a=b=c': a second '=': quote the value, or write '\\='\n    a=b=c\n       ^"},
        {"epochs", "override 'epochs': a '=' and a value are missing\n    epochs\n          ^"},
        {"k=a#b", "override 'k=a#b': '#' is not allowed in a value without quotes\n    k=a#b\n       ^"},
        {"k=[1,2", "override 'k=[1,2': the '[' is not closed\n    k=[1,2\n      ^"},
        {"k=exp{epoch}.pth", "override 'k=exp{epoch}.pth': unexpected '{'\n    k=exp{epoch}.pth\n         ^"},
        {"k=int(x)", "override 'k=int(x)': int(): 'x' is not an integer\n    k=int(x)\n      ^"},
        {"k='x", "override 'k='x': the quote is not closed\n    k='x\n      ^"},
        {"a b=1", "override 'a b=1': ' ' is not allowed in a key\n    a b=1\n     ^"},
    };
    for (const auto& [text, message] : golden) {
        CAPTURE(text);
        CHECK(error_of([&text = text] { static_cast<void>(parse_override(text)); }) == message);
    }
}
