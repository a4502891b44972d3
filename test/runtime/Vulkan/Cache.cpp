// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pipelines on disk: written once, used if whole and of this device, image and
// driver, written again otherwise.

#include "test/runtime/Vulkan/Work.h"

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

namespace fs = std::filesystem;

struct VulkanCache : VulkanTest {
  void createModule() {
    sparkle_module_t *module;
    ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
    sparkle_module_release(module);
  }
  std::vector<fs::path> list() {
    std::vector<fs::path> files;
    for (const auto &entry : fs::directory_iterator(environment.cache.path))
      files.push_back(entry.path());
    return files;
  }
  static std::string read(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const fs::path &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
};

TEST_F(VulkanCache, written) {
  createModule();
  std::vector<fs::path> files = list();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].extension(), ".pipelines");
  std::string bytes = read(files[0]);
  EXPECT_GT(bytes.size(), 64u);
  EXPECT_EQ(bytes.substr(0, 8), "SPKLPIPE");
  // Used, and left alone.
  struct stat before, after;
  ASSERT_EQ(stat(files[0].c_str(), &before), 0);
  createModule();
  ASSERT_EQ(stat(files[0].c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(list().size(), 1u);
  // Another image has a file of its own.
  affine.setImage(2, 12345); // the generator's number
  createModule();
  EXPECT_EQ(list().size(), 2u);
}

/// Only the variants that somebody wants are compiled, each of them once.
TEST_F(VulkanCache, variantsOnDemand) {
  AffineKernel other;
  other.setImage(2, 12345); // the generator's number
  sparkle_code_t codes[] = {affine.code, other.code};
  affine.kernel.codes = codes;
  affine.kernel.code_count = 2;
  sparkle_module_t *module;
  ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
  EXPECT_EQ(list().size(), 1u);
  EXPECT_OK(sparkle_module_select_variant(module, 0, &error));
  EXPECT_EQ(list().size(), 1u);
  for (uint32_t variant : {1, 0, 1})
    EXPECT_OK(sparkle_module_select_variant(module, variant, &error));
  EXPECT_EQ(list().size(), 2u);
  sparkle_module_release(module);
  fs::remove_all(environment.cache.path);
  fs::create_directory(environment.cache.path);
  ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
  const int64_t size = 100;
  EXPECT_OK(sparkle_module_tune(module, &size, 1, 1, &error));
  EXPECT_EQ(list().size(), 2u);
  sparkle_module_release(module);
}

/// One that cannot be made is refused when it is wanted; the other one stays.
TEST_F(VulkanCache, variantRefused) {
  AffineKernel other;
  other.setImage(0, 12345); // no magic number
  sparkle_code_t codes[] = {affine.code, other.code};
  affine.kernel.codes = codes;
  affine.kernel.code_count = 2;
  sparkle_module_t *module;
  ASSERT_OK(sparkle_module_create(device, &affine.kernel, &module, &error));
  EXPECT_EQ(sparkle_module_select_variant(module, 1, &error),
            SPARKLE_INVALID_ARTIFACT);
  EXPECT_NE(std::string(error.message).find("expected a SPIR-V module"),
            std::string::npos);
  sparkle_module_properties_t properties;
  sparkle_module_query_properties(module, &properties);
  EXPECT_EQ(properties.variant, 0u);
  sparkle_module_release(module);
}

/// Every byte of the header counts, and so do those after it.
TEST_F(VulkanCache, damaged) {
  createModule();
  fs::path path = list().at(0);
  const std::string good = read(path);
  std::vector<std::string> bad = {"", good.substr(0, 20),
                                  good.substr(0, good.size() - 1), good + "x"};
  for (size_t i = 0; i < good.size(); i += i < 64 ? 1 : 13) {
    bad.push_back(good);
    bad.back()[i] ^= 4;
  }
  for (const std::string &bytes : bad) {
    write(path, bytes);
    createModule();
    EXPECT_EQ(read(path), good);
  }
  EXPECT_EQ(list().size(), 1u); // no temporary is left
}

TEST_F(VulkanCache, noFolder) {
  Variable none("SPARKLE_CACHE_DIR", "");
  sparkle_context_release(context);
  SetUp();
  createModule();
  EXPECT_TRUE(list().empty());
}

/// A folder that cannot be made costs nothing but the time.
TEST_F(VulkanCache, unwritable) {
  std::string file = environment.cache.path + "/file";
  write(file, "in the way");
  Variable log("SPARKLE_LOG", "0");
  Variable folder("SPARKLE_CACHE_DIR", (file + "/folder").c_str());
  sparkle_context_release(context);
  SetUp();
  createModule();
}

TEST_F(VulkanCache, defaultFolder) {
  const std::string home = environment.cache.path;
  Variable cacheDir("SPARKLE_CACHE_DIR", nullptr);
  Variable homeFolder("HOME", home.c_str());
  {
    Variable xdg("XDG_CACHE_HOME", nullptr);
    sparkle_context_release(context);
    SetUp();
    createModule();
    EXPECT_FALSE(fs::is_empty(home + "/.cache/sparkle"));
  }
  Variable xdg("XDG_CACHE_HOME", (home + "/xdg").c_str());
  sparkle_context_release(context);
  SetUp();
  createModule();
  EXPECT_FALSE(fs::is_empty(home + "/xdg/sparkle"));
}

/// Four processes at once see whole files or none.
TEST_F(VulkanCache, manyProcesses) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "self", "--gtest_filter=VulkanCacheChild.run",
            "--gtest_brief=1", nullptr);
      _exit(99);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  createModule();
  EXPECT_EQ(list().size(), 1u);
}

/// What each of them runs, in the parent's folder.
TEST(VulkanCacheChild, run) {
  Folder own;
  const char *given = std::getenv("SPARKLE_CACHE_DIR");
  Variable folder("SPARKLE_CACHE_DIR", given ? given : own.path.c_str());
  sparkle_error_t error;
  for (int i = 0; i < 5; ++i) {
    AffineKernel affine;
    sparkle_context_t *context;
    sparkle_device_t *device;
    ASSERT_OK(sparkle_context_create(&context, &error));
    ASSERT_OK(
        sparkle_context_find_device(context, "vulkan:0", &device, &error));
    Work work(device, affine.kernel, 100);
    sparkle_context_release(context);
  }
}

} // namespace
