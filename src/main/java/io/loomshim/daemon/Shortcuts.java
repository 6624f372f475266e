package io.loomshim.daemon;

import io.loomshim.cgroup.GracePeriod;
import io.loomshim.process.Spawner;
import io.loomshim.runc.SealedPrograms;
import java.nio.file.Path;

/**
 * What is done to make the commands of runc faster, each with a setting of its own, so that one that does harm can be
 * left out. A value.
 *
 * @param earlyCgroupWait whether the wait of a process's move into a cgroup begins before runc does
 * @param spawnApart whether programs are started by threads without the daemon's descriptors
 * @param sealedRuntime when a runtime that copies itself is run from a copy that stays
 */
public record Shortcuts(boolean earlyCgroupWait, boolean spawnApart, SealedPrograms.Policy sealedRuntime) {
  static final Shortcuts ALL = new Shortcuts(true, true, SealedPrograms.Policy.AUTO);

  Shortcuts withoutEarlyCgroupWait() {
    return new Shortcuts(false, spawnApart, sealedRuntime);
  }

  Shortcuts withoutSpawnApart() {
    return new Shortcuts(earlyCgroupWait, false, sealedRuntime);
  }

  /**
   * The same with what the setting {@code sealed_runtime} says.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  Shortcuts withSealedRuntime(String word) {
    SealedPrograms.Policy policy;
    if (word.equals("auto")) {
      policy = SealedPrograms.Policy.AUTO;
    } else if (word.equals("true")) {
      policy = SealedPrograms.Policy.ALWAYS;
    } else if (word.equals("false")) {
      policy = SealedPrograms.Policy.NEVER;
    } else {
      throw new IllegalArgumentException("sealed_runtime=" + word + " is none of auto, true, false");
    }
    return new Shortcuts(earlyCgroupWait, spawnApart, policy);
  }

  /** To be called once, before the first container; {@code directory} is for what belongs to this daemon. */
  void use(Path directory) {
    if (earlyCgroupWait) {
      GracePeriod.prepare();
    }
    if (!spawnApart) {
      Spawner.spawnHere();
    }
    SealedPrograms.use(sealedRuntime, directory);
  }
}
