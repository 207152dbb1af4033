// Which members are on the device, and who waits in pinned host memory.
#include "cuda/engine.hpp"

namespace hyperband::cuda {

void Engine::refuse(const Member &m) const {
    throw DeviceFull("a network of " + std::to_string(m.bytes() >> 20) + " MiB does not fit into the " +
                     std::to_string(pool_.limit() >> 20) + " MiB of the device that networks may take. Raise the limit " +
                     "or use smaller networks.");
}

void Engine::set_pointers(Member &m) const {
    Network &n = m.network;
    n.weights = n.m = n.v = n.average = n.best = nullptr;
    for_each_arena(m, [&](Floats State::*arena, size_t offset) {
        float *const at = reinterpret_cast<float *>(m.memory + offset);
        if (arena == &State::weights) n.weights = at;
        if (arena == &State::m) n.m = at;
        if (arena == &State::v) n.v = at;
        if (arena == &State::average) n.average = at;
        if (arena == &State::best) n.best = at;
    });
}

// Brings a member to the device. Others make room, the least recently used first, but none that was used after `since`. False
// when there is no room.
bool Engine::bring(Member &m, int64_t since) {
    m.last_used = ++clock_;
    if (m.memory != nullptr) return true;
    m.memory = pool_.allocate(m.bytes());
    if (m.memory == nullptr) {
        std::vector<Member *> others;
        members_.for_each([&](Member &each) {
            if (each.memory != nullptr && each.last_used <= since) others.push_back(&each);
        });
        std::sort(others.begin(), others.end(), [](const Member *a, const Member *b) { return a->last_used < b->last_used; });
        for (Member *each : others) {
            evict(*each);
            if ((m.memory = pool_.allocate(m.bytes())) != nullptr) break;
        }
    }
    if (m.memory == nullptr) return false;
    set_pointers(m);
    if (m.host_copy == nullptr) return true;
    try {
        device_->upload(m.memory, m.host_copy, m.bytes());
    } catch (...) {  // its numbers are still on the host alone
        pool_.release(m.memory);
        m.memory = nullptr;
        throw;
    }
    device_->release_pinned(m.host_copy);
    m.host_copy = nullptr;
    return true;
}

void Engine::evict(Member &m) {
    m.host_copy = static_cast<char *>(device_->allocate_pinned(m.bytes()));
    device_->download(m.host_copy, m.memory, m.bytes());
    pool_.release(m.memory);
    m.memory = nullptr;
}

void Engine::free_memory(Member &m) noexcept {
    if (m.memory != nullptr) pool_.release(m.memory);
    if (m.host_copy != nullptr) device_->release_pinned(m.host_copy);
    m.memory = m.host_copy = nullptr;
}

// Memory on the device for the networks of a launch.
Network *Engine::reserve_networks(size_t n) {
    if (n <= networks_capacity_) return networks_;
    if (networks_ != nullptr) device_->release(networks_);
    networks_capacity_ = 0;
    networks_ = static_cast<Network *>(device_->allocate(n * sizeof(Network)));
    if (networks_ == nullptr) throw DeviceFull("the device has no memory left for the list of networks.");
    networks_capacity_ = n;
    return networks_;
}

}  // namespace hyperband::cuda
