import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/** The plot of a {@link Soak}: what must be flat, over the cycles. */
final class SoakPlot {
  private SoakPlot() {}

  static String draw(String what, List<SoakSample> samples) {
    var panels = new ArrayList<LinePanel>();
    panel(panels, samples, "Open files", Unit.COUNT, SoakSample::files);
    panel(panels, samples, "OS threads", Unit.COUNT, SoakSample::threads);
    panel(panels, samples, "Heap after a full collection", Unit.MB, SoakSample::heapMb);
    panel(panels, samples, "Memory of the process (PSS)", Unit.MB, SoakSample::pssMb);
    return LineChart.draw("One daemon under load for long", what, List.of(Side.LOOM), panels);
  }

  private static void panel(List<LinePanel> panels, List<SoakSample> samples, String title, Unit unit,
      ToDoubleFunction<SoakSample> value) {
    var line = new TreeMap<Integer, Double>();
    for (SoakSample sample : samples) {
      if (sample.cycles() > 0) { // the axis is logarithmic
        line.put(sample.cycles(), value.applyAsDouble(sample));
      }
    }
    panels.add(new LinePanel(title, "create-to-delete cycles", unit, Map.of(Side.LOOM, line), Map.of()));
  }
}
