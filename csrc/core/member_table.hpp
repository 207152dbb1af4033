// The members of an engine by their ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hyperband {

// Owns its members; ids count up and are never used again. Not thread-safe.
template <class Member> class MemberTable {
  public:
    // Takes all of them; returns their ids, in order.
    std::vector<int64_t> insert(std::vector<std::unique_ptr<Member>> members) {
        std::vector<int64_t> ids;
        for (auto &m : members) {
            members_.emplace(next_id_, std::move(m));
            ids.push_back(next_id_++);
        }
        return ids;
    }
    // Throws std::out_of_range when there is none of this id.
    Member &at(int64_t id) const {
        const auto found = members_.find(id);
        if (found == members_.end())
            throw std::out_of_range("`members` must be ids of living members; got " + std::to_string(id) +
                                    ", which was never added or was released.");
        return *found->second;
    }
    void erase(int64_t id) { members_.erase(id); }
    size_t size() const { return members_.size(); }
    template <class Visit> void for_each(const Visit &visit) const {
        for (const auto &[id, m] : members_) visit(*m);
    }

  private:
    std::unordered_map<int64_t, std::unique_ptr<Member>> members_;
    int64_t next_id_ = 0;
};

}  // namespace hyperband
