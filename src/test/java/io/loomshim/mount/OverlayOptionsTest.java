package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OverlayOptionsTest {
  private static final String SNAPSHOTS = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/";
  /** Makes any option list long enough. */
  private static final int TINY_PAGE = OverlayOptions.RESERVED_BYTES;

  private static OverlayOptions unchanged(String... options) {
    return new OverlayOptions(Optional.empty(), List.of(options));
  }

  private static OverlayOptions compact(String... options) {
    return OverlayOptions.compact("overlay", List.of(options), TINY_PAGE);
  }

  @Test
  void manyLayersBecomeRelativeToTheirCommonDirectoryAndGoLast() throws IOException {
    String lower = IntStream.range(100, 200).mapToObj(i -> SNAPSHOTS + i + "/fs").collect(Collectors.joining(":"));
    var options = List.of("index=off", "lowerdir=" + lower, "workdir=/w", "upperdir=/u");
    var compacted = OverlayOptions.compact("overlay", options, 4096);
    String relative = IntStream.range(100, 200).mapToObj(i -> i + "/fs").collect(Collectors.joining(":"));
    // the hundreds are common text as well, but only whole names may be cut off
    assertEquals(Optional.of(Path.of(SNAPSHOTS)), compacted.directory());
    assertEquals(List.of("index=off", "workdir=/w", "upperdir=/u", "lowerdir=" + relative), compacted.options());
    assertTrue(MountOptions.parse(compacted.options(), 4096).data().length() < 1000);
  }

  @Test
  void compactionBeginsAtAPageLessTheReserve() {
    String two = "lowerdir=/a/b/" + "x".repeat(100) + ":/a/b/y";
    int bytes = two.length();
    var options = List.of(two);
    assertEquals(unchanged(two), OverlayOptions.compact("overlay", options, bytes + TINY_PAGE + 1));
    assertEquals(Optional.of(Path.of("/a/b")),
        OverlayOptions.compact("overlay", options, bytes + TINY_PAGE).directory());
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "upperdir=/u", "lowerdir=/a/b/c", "lowerdir=/a/x:/b/x", "lowerdir=/a:/b", "lowerdir=a/b:a/c", "lowerdir=a:b",
      "lowerdir=/a/b/:/a/b/", "lowerdir=/a/b/:/a/b/c", "lowerdir=/a/b/c:", "lowerdir=:", "lowerdir=//a://b",
      "lowerdir=/./a:/./b", "lowerdir=/a/b\\:c/x:/a/b\\:c/y", "lowerdir=/a/b/c:/a/b//d"})
  void whatCannotBeCompactedStaysAsItIs(String option) {
    assertEquals(unchanged(option, "ro"), compact(option, "ro"));
  }

  @Test
  void otherFileSystemsAreLeftAlone() {
    var options = List.of("lowerdir=/a/b/c:/a/b/d");
    assertEquals(new OverlayOptions(Optional.empty(), options), OverlayOptions.compact("fuse", options, TINY_PAGE));
  }

  @Test
  void oneLayerInsideTheOtherIsCompactedToo() {
    assertEquals(new OverlayOptions(Optional.of(Path.of("/a")), List.of("lowerdir=b:b/c")),
        compact("lowerdir=/a/b:/a/b/c"));
    assertEquals(new OverlayOptions(Optional.of(Path.of("/a/b")), List.of("lowerdir=c:c")),
        compact("lowerdir=/a/b/c:/a/b/c"));
  }
}
