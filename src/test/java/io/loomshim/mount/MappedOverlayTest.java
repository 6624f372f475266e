package io.loomshim.mount;

import static io.loomshim.mount.MappedIds.OPTIONS;
import static io.loomshim.mount.MappedIds.file;
import static io.loomshim.mount.MappedIds.owner;
import static io.loomshim.mount.MappedIds.points;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.mount.MappedIds.Holdings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedOverlayTest {
  @TempDir Path temp;

  private Path disk;
  private Path target;
  private Holdings before;

  @BeforeEach
  void prepare() throws Exception {
    disk = MappedIds.fileSystem(temp.resolve("disk"));
    for (String name : List.of("upper", "work")) {
      Files.createDirectory(disk.resolve(name));
    }
    Files.setAttribute(disk.resolve("upper"), "unix:uid", 1000);
    Files.setAttribute(disk.resolve("upper"), "unix:gid", 5000);
    target = Files.createDirectory(temp.resolve("target"));
    before = Holdings.now(temp);
  }

  @AfterEach
  void tidy() throws Exception {
    Mounts.unmountAll(temp.resolve("target"));
    Mounts.unmountAll(temp.resolve("disk"));
  }

  private List<String> options(String lowerdir) {
    var options = new ArrayList<>(OPTIONS);
    options.addAll(List.of("workdir=" + disk.resolve("work"), "upperdir=" + disk.resolve("upper"),
        "lowerdir=" + lowerdir, "index=off"));
    return options;
  }

  private void mount(List<Path> layers) throws Exception {
    Mounts.mount("overlay", "overlay", target, options(String.join(":", layers.stream().map(Path::toString).toList())));
  }

  @Test
  void theLayersAreMappedAndTheUpperOneIsAsItIs() throws Exception {
    Path low = disk.resolve("low/fs");
    Path high = disk.resolve("high/fs");
    file(low.resolve("etc/passwd"));
    Files.writeString(file(low.resolve("both")), "low");
    Files.writeString(file(high.resolve("both")), "high");
    Files.setAttribute(low.resolve("etc/passwd"), "unix:gid", 42);
    mount(List.of(high, low));
    assertEquals("1000:5042", owner(target.resolve("etc/passwd")));
    assertEquals("1000:5000", owner(target));
    assertEquals("high", Files.readString(target.resolve("both")));
    Files.writeString(target.resolve("both"), "written");
    assertEquals("1000:5000", owner(disk.resolve("upper/both")));
    assertEquals("high", Files.readString(high.resolve("both")));
    assertEquals("0:42", owner(low.resolve("etc/passwd")));
    assertEquals(List.of(target.toString()), points(target));
    Mounts.unmountAll(target);
    before.check(temp);
  }

  @Test
  void moreLayersThanAPageHoldsAreMounted() throws Exception {
    Path above = disk.resolve("a-long-name-".repeat(10));
    var layers = new ArrayList<Path>();
    for (int i = 0; i < 100; i++) {
      layers.add(file(above.resolve(i + "/fs/file" + i)).getParent());
    }
    mount(layers);
    assertEquals("1000:5000", owner(target.resolve("file0")));
    assertEquals("1000:5000", owner(target.resolve("file99")));
    assertEquals(List.of(target.toString()), points(target));
    Mounts.unmountAll(target);
    before.check(temp);
  }

  @Test
  void layersMayBeMountsOfTheirOwnAndHaveAnyName() throws Exception {
    Path mounted = MappedIds.fileSystem(disk.resolve("mounted"));
    file(mounted.resolve("inside"));
    Path odd = disk.resolve("a:b\\c, d");
    file(odd.resolve("odd"));
    String escaped = odd.toString().replace("\\", "\\\\").replace(":", "\\:");
    Mounts.mount("overlay", "overlay", target, options(mounted + ":" + escaped));
    assertEquals("1000:5000", owner(target.resolve("inside")));
    assertEquals("1000:5000", owner(target.resolve("odd")));
  }

  @Test
  void whatFailsHalfWayLeavesNothing() throws Exception {
    Path layer = file(disk.resolve("low/file")).getParent();
    var e = assertThrows(IOException.class, () -> mount(List.of(layer, disk.resolve("missing"))));
    assertEquals("open_tree " + disk.resolve("missing") + ": no such file or directory", e.getMessage());
    before.check(temp);
    e = assertThrows(IOException.class, () -> mount(List.of(layer, Path.of("/sys"))));
    assertTrue(e.getMessage().startsWith("ids of /sys cannot be mapped: Linux "), e.getMessage());
    assertTrue(e.getMessage().endsWith(" cannot do that on sysfs"), e.getMessage());
    before.check(temp);
    Files.delete(disk.resolve("upper"));
    e = assertThrows(IOException.class, () -> mount(List.of(layer)));
    assertEquals("mount " + target + "/merged: no such file or directory", e.getMessage());
    before.check(temp);
    var none = new ArrayList<>(options(""));
    none.removeIf(option -> option.startsWith("lowerdir="));
    e = assertThrows(IOException.class, () -> Mounts.mount("overlay", "overlay", target, none));
    assertEquals("an overlay without lowerdir= has no layers whose ids could be mapped", e.getMessage());
    before.check(temp);
  }

  @Test
  void theOptionsNameTheLayersByNumber() throws Exception {
    var options = List.of("index=off", "lowerdir=/a\\:b:/c\\\\::/d", "upperdir=/u");
    List<String> layers = MappedOverlay.layers(options);
    assertEquals(List.of("/a:b", "/c\\", "", "/d"), layers);
    assertEquals(List.of("index=off", "lowerdir=0:1::3", "upperdir=/u"), MappedOverlay.numbered(options));
  }
}
