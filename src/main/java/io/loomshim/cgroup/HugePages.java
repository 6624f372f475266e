package io.loomshim.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The sizes of huge pages that this machine has, in the words of the hugetlb controller. */
final class HugePages {
  private static final Path DIRECTORY = Path.of("/sys/kernel/mm/hugepages");
  private static final String PREFIX = "hugepages-";

  private HugePages() {}

  /** They are set at boot, so they are read once; where there is no descriptor for that, the next time. */
  private static volatile List<String> known = List.of();

  /** For example {@code 2MB}, {@code 1GB}; none where the kernel has no huge pages. */
  static List<String> sizes() {
    if (known.isEmpty()) {
      known = read();
    }
    return known;
  }

  private static List<String> read() {
    var sizes = new ArrayList<String>();
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(DIRECTORY, PREFIX + "*kB")) {
      for (Path directory : directories) {
        String name = directory.getFileName().toString();
        sizes.add(size(Long.parseLong(name.substring(PREFIX.length(), name.length() - 2))));
      }
    } catch (IOException e) {
      // none
    }
    return sizes;
  }

  static String size(long kilobytes) {
    if (kilobytes >= 1 << 20) {
      return (kilobytes >> 20) + "GB";
    }
    return kilobytes >= 1 << 10 ? (kilobytes >> 10) + "MB" : kilobytes + "KB";
  }
}
