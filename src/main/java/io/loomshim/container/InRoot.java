package io.loomshim.container;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;

/** Paths inside a directory that may hold hostile symbolic links; the look-ups are part of an {@code Aside} step. */
final class InRoot {
  /** As many symbolic links as the kernel follows in one path (path_resolution(7)). */
  private static final int LINKS_MAX = 40;

  private InRoot() {}

  /**
   * Resolves {@code path} as if {@code root} were the root directory: {@code ..} and symbolic links, absolute
   * ones too, never lead out of it. Parts that do not exist are taken as they are.
   *
   * <p>What is found holds while the directory does not change: to be used before the container runs.
   *
   * @throws FileSystemException for more than {@value #LINKS_MAX} symbolic links, or a NUL
   */
  static Path resolve(Path root, String path) throws IOException {
    if (path.indexOf('\0') >= 0) {
      throw new FileSystemException(path.replace('\0', '?'), "", "invalid argument");
    }
    var todo = new ArrayDeque<Path>();
    for (Path part : Path.of(path)) {
      todo.add(part);
    }
    Path at = root;
    int links = 0;
    while (!todo.isEmpty()) {
      Path part = todo.poll();
      if (part.toString().equals("..")) {
        at = at.equals(root) ? root : at.getParent();
      } else if (!part.toString().equals(".") && !part.toString().isEmpty()) {
        Path next = at.resolve(part);
        if (!Files.isSymbolicLink(next)) {
          at = next;
          continue;
        }
        if (++links > LINKS_MAX) {
          throw new FileSystemException(path, "", "too many levels of symbolic links");
        }
        Path target = Files.readSymbolicLink(next);
        at = target.isAbsolute() ? root : at;
        for (int i = target.getNameCount() - 1; i >= 0; i--) {
          todo.addFirst(target.getName(i));
        }
      }
    }
    return at;
  }
}
