#include "cuda/pool.hpp"

#include <algorithm>

namespace hyperband::cuda {
namespace {

constexpr size_t kPieceBytes = 64 << 20, kAligned = 256;

}  // namespace

Pool::~Pool() {
    for (const Piece &piece : pieces_) device_.release(piece.base);
}

char *Pool::take(Piece &piece, size_t bytes) {
    const auto gap = std::find_if(piece.gaps.begin(), piece.gaps.end(), [&](const auto &g) { return g.second >= bytes; });
    if (gap == piece.gaps.end()) return nullptr;
    const auto [at, size] = *gap;
    piece.gaps.erase(gap);
    if (size > bytes) piece.gaps[at + bytes] = size - bytes;
    piece.used += bytes;
    sizes_[piece.base + at] = bytes;
    return piece.base + at;
}

char *Pool::allocate(size_t wanted) {
    const size_t bytes = (std::max<size_t>(wanted, 1) + kAligned - 1) / kAligned * kAligned;
    for (Piece &piece : pieces_)
        if (char *memory = take(piece, bytes)) return memory;
    if (bytes > limit_ - held_) return nullptr;
    Piece piece;
    for (size_t size = std::min(std::max(bytes, kPieceBytes), limit_ - held_); piece.base == nullptr; size = bytes) {
        piece.base = static_cast<char *>(device_.allocate(size));
        piece.size = size;
        if (piece.base == nullptr && size == bytes) return nullptr;
    }
    held_ += piece.size;
    piece.gaps[0] = piece.size;
    pieces_.push_back(std::move(piece));
    return take(pieces_.back(), bytes);
}

void Pool::release(char *memory) noexcept {
    const auto found = sizes_.find(memory);
    if (found == sizes_.end()) return;
    const size_t bytes = found->second;
    sizes_.erase(found);
    for (size_t i = 0; i < pieces_.size(); ++i) {
        Piece &piece = pieces_[i];
        if (memory < piece.base || memory >= piece.base + piece.size) continue;
        piece.used -= bytes;
        if (piece.used == 0) {
            device_.release(piece.base);
            held_ -= piece.size;
            pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
        auto gap = piece.gaps.emplace(static_cast<size_t>(memory - piece.base), bytes).first;
        const auto next = std::next(gap);
        if (next != piece.gaps.end() && gap->first + gap->second == next->first) {
            gap->second += next->second;
            piece.gaps.erase(next);
        }
        if (gap != piece.gaps.begin()) {
            const auto before = std::prev(gap);
            if (before->first + before->second == gap->first) {
                before->second += gap->second;
                piece.gaps.erase(gap);
            }
        }
        return;
    }
}

}  // namespace hyperband::cuda
