import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Panel } from './figures.ts';

use([LineChart, GridComponent, TitleComponent, LegendComponent, SVGRenderer]);

const PANEL_WIDTH = 360;
const HEIGHT = 330;
const MARGIN = { left: 60, right: 20, top: 70, bottom: 50 };
/** The same line has the same colour in every panel; told apart by those who do not see colours, too. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/** Panels side by side as one SVG, rendered without a browser; both axes begin at what is measured. */
export function plot(panels: readonly Panel[]): string {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: Math.max(1, panels.length) * PANEL_WIDTH,
    height: HEIGHT,
  });
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      color: COLOURS,
      legend: { data: names, top: 4, itemGap: 30, selectedMode: false },
      title: panels.map(({ title }, at) => ({
        text: `${title}, ms`,
        left: at * PANEL_WIDTH + MARGIN.left,
        top: 34,
        textStyle: { fontSize: 13, fontWeight: 'normal' },
      })),
      grid: panels.map((_, at) => ({
        left: at * PANEL_WIDTH + MARGIN.left,
        width: PANEL_WIDTH - MARGIN.left - MARGIN.right,
        top: MARGIN.top,
        bottom: MARGIN.bottom,
      })),
      xAxis: panels.map(({ x, isLog }, gridIndex) => ({
        gridIndex,
        type: isLog ? 'log' : 'value',
        name: x,
        nameLocation: 'middle',
        nameGap: 28,
        min: 'dataMin',
        max: 'dataMax',
      })),
      yAxis: panels.map((_, gridIndex) => ({ gridIndex, type: 'value', min: 0 })),
      series: panels.flatMap(({ series }, index) =>
        series.map(({ name, points }) => ({
          type: 'line',
          name,
          xAxisIndex: index,
          yAxisIndex: index,
          color: COLOURS[names.indexOf(name) % COLOURS.length],
          symbolSize: 6,
          silent: true,
          data: points.map((point) => [...point]),
        })),
      ),
    });
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}
