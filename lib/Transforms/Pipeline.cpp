// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared pipeline as one list.

#include "lib/Transforms/Pipeline.h"
#include "lib/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace sparkle;

void sparkle::buildAlgorithmPipeline(OpPassManager &manager) {
  manager.addPass(createFuseElementwise());
  manager.addPass(createApplyWinograd());
  manager.addPass(createMergeIndices());
}

void sparkle::buildPatternPipeline(OpPassManager &manager) {
  manager.addPass(createResolvePattern());
}

void sparkle::buildTiledPipeline(OpPassManager &manager) {
  manager.addPass(createPackWeights());
  manager.addPass(createSplitSum());
  manager.addPass(createTile());
  manager.addPass(createStage());
  manager.addPass(createSplitTransform());
  manager.addPass(createSplitBorder());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createInferInside());
  manager.addPass(createExpandActivations());
}

void sparkle::registerTransforms() {
  registerSparklePasses();
  PassPipelineRegistration<>("sparkle-to-tiled",
                             "The whole way from the algorithm level to the "
                             "tiled level",
                             [](OpPassManager &manager) {
                               buildAlgorithmPipeline(manager);
                               buildPatternPipeline(manager);
                               buildTiledPipeline(manager);
                             });
}
