package io.loomshim.runc;

import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.util.Optional;

/**
 * Takes charge of the process that a pid file names, in one step with the removal of what is not needed any more: of an
 * exec that is the file of its process object, and the pid file.
 */
record Claiming(PidFile file, Optional<ProcessFile> needless) implements Aside.Step<Child>, Aside.Undoing<Child> {
  @Override
  public Child run() throws IOException {
    if (needless.isEmpty()) {
      return Child.claim(file.read());
    }
    needless.get().remove();
    Child child = Child.claim(file.read());
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
