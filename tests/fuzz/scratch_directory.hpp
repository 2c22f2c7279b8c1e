// A directory of a fuzzer's own, in memory where there is one, gone with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "tests/fuzz/fuzz.hpp"

namespace simulcast::fuzz {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* memory = "/dev/shm";
    const auto parent = std::filesystem::is_directory(memory) ? std::filesystem::path(memory)
                                                              : std::filesystem::temp_directory_path();
    std::string pattern = parent / "simulcastd-fuzz-XXXXXX";
    check(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace simulcast::fuzz
