package io.loomshim.mount;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.MountCalls;
import io.loomshim.linux.MountTreeCalls;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An overlay whose lower layers have mapped ids; its upper layer has the right owners already (containerd:
 * {@code prepareIDMappedOverlay} in core/mount/mount_linux.go). The kernel wants layers that have a place when the
 * overlay is mounted, and keeps mounts of its own of them afterwards. So the target itself is lent to a small file
 * system, with a directory for each layer and one for the overlay, until the overlay alone takes the place; all that
 * undoes a mount at the target undoes this too, at any moment, even when this process has ended meanwhile.
 */
final class MappedOverlay {
  private static final String LOWERDIR = "lowerdir=";
  private static final String SCAFFOLD = "loom-layers"; // the name in the mount table
  private static final String MERGED = "merged";

  private MappedOverlay() {}

  /**
   * Mounts it.
   *
   * @param layers what {@link #layers} finds
   * @param options with the names that {@link #numbered} gives
   * @throws IOException a sentence that says what the kernel lacks, or mount(2)'s error
   */
  static void mount(String source, String target, List<String> layers, MountOptions options, Fd namespace)
      throws IOException, InterruptedException {
    assert Aside.allowed();
    Mounts.mount(SCAFFOLD, target, "tmpfs", 0, "mode=700");
    try (Fd merged = build(source, target, layers, options, namespace)) {
      MappedMount.attach(merged, target);
    }
  }

  /** The overlay without a place; nothing is mounted at {@code target} afterwards. */
  private static Fd build(String source, String target, List<String> layers, MountOptions options, Fd namespace)
      throws IOException, InterruptedException {
    try {
      // what is mounted below need not be copied to the namespaces of others
      Mounts.mount("", target, "", MountCalls.MS_PRIVATE, "");
      Path scaffold = Path.of(target);
      for (int i = 0; i < layers.size(); i++) {
        if (!layers.get(i).isEmpty()) {
          Path place = Files.createDirectory(scaffold.resolve(Integer.toString(i)));
          try (Fd layer = MappedMount.copy(layers.get(i), namespace, MountTreeCalls.MOUNT_ATTR_RDONLY, false)) {
            MappedMount.attach(layer, place.toString());
          }
        }
      }
      String merged = Files.createDirectory(scaffold.resolve(MERGED)).toString();
      overlay(scaffold, source, merged, options);
      return MappedMount.copy(merged, false);
    } finally {
      MountCalls.detach(target); // if that fails, the overlay covers it, and both go with the container
    }
  }

  private static void overlay(Path scaffold, String source, String merged, MountOptions options)
      throws IOException, InterruptedException {
    try {
      InDirectory.run(scaffold, () -> Mounts.mount(source, merged, "overlay", options.flags(), options.data()));
    } catch (ErrnoException e) {
      String release = Kernel.release();
      if (e.errno() == Errno.EINVAL && Kernel.before(release, 5, 19)) {
        throw new MappedMountException(
            "an overlay takes layers with mapped ids from Linux 5.19 on, this is " + release, e.errno());
      }
      throw e;
    }
  }

  /** The lower layers, uppermost first; an empty one separates those with data only (kernel: overlayfs.rst). */
  static List<String> layers(List<String> options) throws IOException {
    for (String option : options) {
      if (option.startsWith(LOWERDIR)) {
        return layers(option.substring(LOWERDIR.length()));
      }
    }
    throw new IOException("an overlay without lowerdir= has no layers whose ids could be mapped");
  }

  private static List<String> layers(String text) {
    var layers = new ArrayList<String>();
    var layer = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == ':') {
        layers.add(layer.toString());
        layer.setLength(0);
      } else if (c == '\\' && i + 1 < text.length()) {
        layer.append(text.charAt(++i)); // a colon that belongs to the name
      } else {
        layer.append(c);
      }
    }
    layers.add(layer.toString());
    return layers;
  }

  /** The options for a mount in the directory that has the layers by number. */
  static List<String> numbered(List<String> options) throws IOException {
    List<String> layers = layers(options);
    var numbers = new StringBuilder(LOWERDIR);
    for (int i = 0; i < layers.size(); i++) {
      numbers.append(i == 0 ? "" : ":").append(layers.get(i).isEmpty() ? "" : i);
    }
    var numbered = new ArrayList<String>(options);
    for (int i = 0; i < numbered.size(); i++) {
      if (numbered.get(i).startsWith(LOWERDIR)) {
        numbered.set(i, numbers.toString());
        break;
      }
    }
    return numbered;
  }
}
