#include "../temporary_folder.hpp"

#include <audyn/checkpoint/pickle_reader.hpp>
#include <audyn/core/error.hpp>

#include <ATen/ops/ones.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using audyn::CheckpointError;
using audyn::state::Value;
using namespace std::string_literals;

/// A storage of as many bytes as asked for, each 1.
c10::Storage storage_of_ones(const std::string&, uint64_t size) {
    if (size > 1000) {
        throw CheckpointError("the test has no such storage");
    }
    return at::ones({static_cast<int64_t>(size)}, at::kByte).storage();
}

/// Reads the body of a pickle of protocol 2.
Value read(const std::string& body) {
    const std::string pickle = "\x80\x02"s + body + ".";
    return audyn::checkpoint::PickleReader(pickle, storage_of_ones).read();
}

std::string error_of(const std::string& body) {
    return message_of<CheckpointError>([&] { static_cast<void>(read(body)); });
}

std::string text(const std::string& value) {
    return "X"s + static_cast<char>(value.size()) + "\0\0\0"s + value;
}

/// _rebuild_tensor_v2 of a storage of `elements` bytes.
std::string tensor(int elements, const std::string& offset, const std::string& sizes, const std::string& strides) {
    return "ctorch._utils\n_rebuild_tensor_v2\n(("s + text("storage") + "ctorch\nByteStorage\n" + text("0") +
           text("cpu") + "K" + static_cast<char>(elements) + "tQ" + offset + sizes + strides + "\x89" +
           "ccollections\nOrderedDict\n)RtR";
}

} // namespace

TEST_CASE("scalars of a pickle") {
    CHECK(read("N").is_none());
    CHECK(read("\x88").as_bool());
    CHECK_FALSE(read("\x89").as_bool());
    CHECK(read("K\xFF").as_int() == 255);
    CHECK(read("M\xFF\xFF").as_int() == 65535);
    CHECK(read("J\xFE\xFF\xFF\xFF").as_int() == -2);
    CHECK(read("G\x3F\xF8\0\0\0\0\0\0"s).as_float() == 1.5);
    CHECK(read(text("abc")).as_string() == "abc");
    CHECK(read("U\x02hi").as_string() == "hi");
}

TEST_CASE("long integers of a pickle, up to 64 bits") {
    CHECK(read("\x8a\0"s).as_int() == 0);
    CHECK(read("\x8a\x01\xFF").as_int() == -1);
    CHECK(read("\x8a\x02\xFF\0"s).as_int() == 255);
    CHECK(read("\x8a\x05\0\0\0\x80\0"s).as_int() == int64_t{1} << 31);
    CHECK(read("\x8a\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F").as_int() == std::numeric_limits<int64_t>::max());
    CHECK(read("\x8a\x08\0\0\0\0\0\0\0\x80"s).as_int() == std::numeric_limits<int64_t>::min());
    CHECK(read("\x8a\x0A\x01\0\0\0\0\0\0\0\0\0"s).as_int() == 1);
    CHECK(error_of("\x8a\x09\0\0\0\0\0\0\0\x80\0"s).find("64 bits") != std::string::npos);
    CHECK(error_of("\x8a\x09\0\0\0\0\0\0\0\0\x01"s).find("64 bits") != std::string::npos);
    CHECK(error_of("\x8a\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\xFF").find("64 bits") != std::string::npos);
}

TEST_CASE("containers of a pickle") {
    CHECK(read("](K\x01K\x02"
               "e")
              .as_list()
              .size() == 2);
    CHECK(read("]K\x01"
               "a")
              .as_list()
              .at(0)
              .as_int() == 1);
    CHECK(read("K\x01K\x02K\x03\x87").as_list().at(2).as_int() == 3);
    CHECK(read("(K\x01t").is<audyn::state::Tuple>());
    CHECK(read("}" + text("a") + "K\x05s").as_dict().at("a").as_int() == 5);
    CHECK(read("}(K\x07NK\x07K\x01u").as_dict().at(7).as_int() == 1);
    // A list kept before it is filled, and used twice.
    const Value shared = read("]q\0K\x09"
                              "ah\0\x86"s);
    CHECK(shared.as_list().at(0).as_list().at(0).as_int() == 9);
    CHECK(shared.as_list().at(1).as_list().at(0).as_int() == 9);
}

TEST_CASE("a tensor of a pickle lies within its storage") {
    const std::string two_by_three = "K\x02K\x03\x86";
    CHECK(read(tensor(6, "K\0"s, two_by_three, "K\x03K\x01\x86")).as_tensor().sum().item<int64_t>() == 6);
    CHECK(read(tensor(7, "K\x01", two_by_three, "K\x03K\x01\x86")).as_tensor().storage_offset() == 1);
    for (const std::string& bad : {
             tensor(6, "K\x01", two_by_three, "K\x03K\x01\x86"),                      // one too far
             tensor(6, "K\0"s, two_by_three, "K\x04K\x01\x86"),                       // steps too wide
             tensor(6, "K\0"s, two_by_three, "K\x03\x85"),                            // a stride is missing
             tensor(6, "J\xFF\xFF\xFF\xFF", two_by_three, "K\x03K\x01\x86"),          // before the beginning
             tensor(6, "K\0"s, two_by_three, "J\xFD\xFF\xFF\xFFK\x01\x86"),           // backwards
             tensor(6, "K\0"s, "J\xFE\xFF\xFF\xFFK\x03\x86", "K\x03K\x01\x86"),       // fewer than none
             tensor(6, "K\0"s, two_by_three, "\x8a\x08\0\0\0\0\0\0\0\x7FK\x01\x86"s), // overflows
             tensor(0, "K\0"s, ")", ")"),                                             // a scalar without an element
         }) {
        CHECK(error_of(bad).find("beyond its storage") != std::string::npos);
    }
    CHECK(read(tensor(0, "K\0"s, "K\0K\x03\x86"s, "K\x03K\x01\x86")).as_tensor().numel() == 0);
}

TEST_CASE("nothing outside the list is named, called or executed") {
    const auto refuses = [](const std::string& body, const std::string& words) {
        CAPTURE(words);
        CHECK(error_of(body).find(words) != std::string::npos);
    };
    refuses("cos\nsystem\n" + text("true") + "\x85R", "'os.system'");
    refuses("c__builtin__\neval\n" + text("1") + "\x85R", "'builtins.eval'");
    refuses("ctorch\nload\n" + text("x") + "\x85R", "'torch.load'");
    refuses("ctorch._utils\n_rebuild_sparse_tensor\n)R", "'torch._utils._rebuild_sparse_tensor'");
    refuses("ctorch\nfloat32\n)R", "calls 'torch.float32'");
    refuses("ctorch\nTensor\n)\x81", "calls 'torch.Tensor'");
    refuses("cos\nsystem", "ends too early");
    refuses("\x93", "the opcode 147"); // STACK_GLOBAL
    refuses("i", "the opcode 105");    // INST
    refuses("ctorch\nTensor\n", "'torch.Tensor' as a value");
    refuses("K\x01}b", "no dictionary");
    refuses("\x80\x04", "protocol 4");
    refuses("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)}tR",
            "wraps a tensor twice");
}

TEST_CASE("a malformed pickle is an error and no crash") {
    for (const std::string& bad :
         {""s,
          "a"s,
          "K"s,
          "R"s,
          "t"s,
          "(K\x01"s,
          "]K\x01s"s,
          "}(K\x01u"s,
          "h\x01"s,
          "q\x01"s,
          "Q"s,
          ")Q"s,
          "\x87"s,
          "X\xFF\xFF\xFF\xFF"s,
          "ctorch\ndevice\n)R"s,
          "ctorch\ndevice\nK\x01\x85R"s,
          "ccollections\nOrderedDict\nK\x01\x85R"s,
          "ctorch._utils\n_rebuild_tensor_v2\n)R"s,
          "ctorch._utils\n_rebuild_parameter\n)R"s,
          "}N)s"s,
          "("s,
          "(.b"s,
          "ctorch._tensor\n_rebuild_from_type_v2\n)R"s,
          "c_codecs\nencode\n"s + text("\xE2\x82\xAC") + text("latin1") + "\x86R",
          "("s + text("storage") + "ctorch\nfloat32\n" + text("0") + text("cpu") + "K\x01tQ"}) {
        CAPTURE(bad);
        CHECK_FALSE(error_of(bad).empty());
    }
    CHECK_THROWS_AS(static_cast<void>(audyn::checkpoint::PickleReader("", storage_of_ones).read()), CheckpointError);
}

TEST_CASE("a pickle cannot exhaust stack or memory") {
    // A list within a list, ten million deep.
    std::string deep(3'000'000, ']');
    deep += std::string(2'999'999, 'a');
    CHECK(error_of(deep).find("nested deeper") != std::string::npos);
    // A list that holds itself.
    CHECK(error_of("]q\0h\0a"s).find("contain themselves") != std::string::npos);
    // Forty lists, each ten times the one before.
    std::string laughs = "(]q\0"s;
    for (int i = 1; i < 40; ++i) {
        laughs += "](";
        for (int k = 0; k < 10; ++k) {
            laughs += "h"s + static_cast<char>(i - 1);
        }
        laughs += "eq"s + static_cast<char>(i);
    }
    CHECK(error_of(laughs + "t").find("fill the memory") != std::string::npos);
    // What a call copies counts too: a dictionary, a text, a tensor, ten thousand times each.
    const std::string many = "(" + std::string(100'000, 'N');
    const std::string long_text = "X\0\0\x10\0"s + std::string(1 << 20, 'x');
    for (const auto& [once, again] : std::vector<std::pair<std::string, std::string>>{
             {"]" + many + "eq\0"s, "ctorch\nSize\nh\0\x85R"s},
             {"}(" + std::string(100'000, 'N') + "uq\0"s, "ccollections\nOrderedDict\nh\0\x85R"s},
             {long_text + "q\0"s, "ctorch\ndevice\nh\0\x85R"s},
             {long_text + "q\0"s, "c_codecs\nencode\nh\0"s + text("latin1") + "\x86R"},
             {long_text + "q\0"s, "h\0"s},
         }) {
        std::string pickle = "(" + once;
        for (int i = 0; i < 10'000; ++i) {
            pickle += again;
        }
        CAPTURE(again);
        CHECK(error_of(pickle + "t").find("fill the memory") != std::string::npos);
    }
    CHECK(error_of(tensor(6, "K\0"s, "(" + std::string(100, '\x88') + "t", ")")).find("dimensions") !=
          std::string::npos);
}

TEST_CASE("a dictionary of many keys takes no quadratic time") {
    std::string pickle = "}(";
    for (int i = 0; i < 200'000; ++i) {
        pickle += "J"s + std::string(reinterpret_cast<const char*>(&i), 4) + "N";
    }
    CHECK(read(pickle + "u").as_dict().size() == 200'000); // 20 billion comparisons would outlast the test's time
}

TEST_CASE("a pickle ends where it says, and another may follow") {
    const std::string two = "\x80\x02K\x07.\x80\x02K\x08."s;
    audyn::checkpoint::PickleReader reader(two, storage_of_ones);
    CHECK(reader.read().as_int() == 7);
    CHECK(reader.position() == 5);
}
