package io.loomshim.runc;

import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Takes charge of the process that a pid file names, in one step with the removal of what is not needed any more: of an
 * exec that is the file of its process object, and the pid file.
 *
 * @param made is told of the process of an exec before its pid file is removed
 */
record Claiming(PidFile file, Optional<ProcessFile> needless, Consumer<Child> made)
    implements Aside.Step<Child>, Aside.Undoing<Child> {
  /** That of an init, whose pid file stays. */
  static Claiming ofInit(PidFile file) {
    return new Claiming(file, Optional.empty(), Claiming::nothing);
  }

  private static void nothing(Child made) {
    // the caller has it soon enough
  }

  @Override
  public Child run() throws IOException {
    if (needless.isEmpty()) {
      return Child.claim(file.read());
    }
    needless.get().remove();
    Child child = Child.claim(file.read());
    made.accept(child);
    try {
      file.remove();
    } catch (IOException e) {
      Log.warn("file not removed", "path", file.toString(), "error", String.valueOf(e.getMessage()));
    }
    return child;
  }

  @Override
  public void undo(Child child) {
    child.close();
  }
}
