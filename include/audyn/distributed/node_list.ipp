#pragma once

#include <audyn/config/text.hpp>
#include <audyn/core/error.hpp>
#include <audyn/core/inline.hpp>
#include <audyn/distributed/node_list.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace audyn::distributed {

namespace detail {

inline constexpr std::size_t most_nodes = 1'000'000;

/// Expands one list of hosts, from left to right.
class NodeList {
public:
    explicit NodeList(std::string_view text) : text_(text) {}

    [[nodiscard]] std::vector<std::string> expand() {
        std::vector<std::string> hosts;
        while (true) {
            for (std::string& host : next_host()) {
                hosts.push_back(std::move(host));
            }
            check_size(hosts);
            if (position_ == text_.size()) {
                return hosts;
            }
            ++position_; // the comma
        }
    }

private:
    [[nodiscard]] DistributedError error(std::string_view reason) const {
        return DistributedError(config::concat({"the node list '", text_, "' ", reason}));
    }

    void check_size(const std::vector<std::string>& hosts) const {
        if (hosts.size() > most_nodes) {
            throw error("names too many nodes");
        }
    }

    /// Up to the next comma outside brackets. A name may hold several brackets: each multiplies.
    [[nodiscard]] std::vector<std::string> next_host() {
        std::vector<std::string> hosts{""};
        while (position_ < text_.size() && text_[position_] != ',') {
            if (text_[position_] == '[') {
                hosts = product(hosts, bracket());
                continue;
            }
            if (text_[position_] == ']') {
                throw error("has a ']' without its '['");
            }
            for (std::string& host : hosts) {
                host += text_[position_];
            }
            ++position_;
        }
        if (hosts.front().empty()) {
            throw error("has an empty name");
        }
        return hosts;
    }

    [[nodiscard]] std::vector<std::string> product(const std::vector<std::string>& starts,
                                                   const std::vector<std::string>& ends) const {
        std::vector<std::string> result;
        if (starts.size() * ends.size() > most_nodes) {
            throw error("names too many nodes");
        }
        for (const std::string& start : starts) {
            for (const std::string& end : ends) {
                result.push_back(start + end);
            }
        }
        return result;
    }

    /// The numbers of `[01-03,7]`, as text of the given width.
    [[nodiscard]] std::vector<std::string> bracket() {
        const std::size_t end = text_.find(']', position_);
        if (end == std::string_view::npos) {
            throw error("has a '[' without its ']'");
        }
        std::string_view ranges = text_.substr(position_ + 1, end - position_ - 1);
        position_ = end + 1;
        std::vector<std::string> numbers;
        while (true) {
            const std::size_t comma = ranges.find(',');
            add_range(ranges.substr(0, comma), numbers);
            if (comma == std::string_view::npos) {
                return numbers;
            }
            ranges.remove_prefix(comma + 1);
        }
    }

    void add_range(std::string_view range, std::vector<std::string>& numbers) const {
        const std::size_t dash = range.find('-');
        const std::string_view first_text = range.substr(0, dash);
        const uint64_t first = number(first_text);
        const uint64_t last = dash == std::string_view::npos ? first : number(range.substr(dash + 1));
        if (last < first || last - first >= most_nodes) {
            throw error(config::concat({"has the impossible range '", range, "'"}));
        }
        for (uint64_t value = first; value <= last; ++value) {
            std::string text = std::to_string(value);
            if (text.size() < first_text.size()) {
                text.insert(0, first_text.size() - text.size(), '0');
            }
            numbers.push_back(std::move(text));
        }
        check_size(numbers);
    }

    [[nodiscard]] uint64_t number(std::string_view text) const {
        uint64_t value = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
        if (end.ec != std::errc() || end.ptr != text.data() + text.size() || text.size() > 18) {
            throw error(config::concat({"has '", text, "' where a number belongs"}));
        }
        return value;
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

} // namespace detail

AUDYN_INLINE std::vector<std::string> expand_node_list(std::string_view text) {
    return detail::NodeList(text).expand();
}

} // namespace audyn::distributed
