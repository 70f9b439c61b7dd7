/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paper's mix in ns-3, as a peer of scenarios/paper.yaml with a single queue: 2 Cubic,
 * 2 NewReno and 1 DCTCP flow, 8 Mbit/s, 10 ms one way, 1500-byte packets, 60 s of which 5 are
 * warm-up.  Prints one line: queue delay mean, p50 and p99 in ms, utilisation, marks, drops, data
 * packets a second of processor time.
 *
 * usage: ns3_peer LAW SEED [Class::Attribute=VALUE...]    LAW: Pie, CoDel, FqCoDel
 */
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

using namespace ns3;

namespace
{

constexpr double WARMUP_S = 5;
constexpr double END_S = 60;
constexpr double RATE_BPS = 8e6;
constexpr uint32_t PPP_BYTES = 2;

std::vector<double> delays_ms;
uint64_t ip_bytes, data_packets;

std::deque<Time> handed_over; /* when packets came that now are in the device's queue */

void
HandedOver(Ptr<const QueueDiscItem> item)
{
    handed_over.push_back(item->GetTimeStamp());
}

/* The delay ends when the link takes the packet, not when its one-packet device queue does. */
void
Begun(Ptr<const Packet>)
{
    if (Simulator::Now().GetSeconds() >= WARMUP_S)
        delays_ms.push_back((Simulator::Now() - handed_over.front()).GetSeconds() * 1e3);
    handed_over.pop_front();
}

void
Sent(Ptr<const Packet> packet)
{
    const uint32_t bytes = packet->GetSize() - PPP_BYTES;

    data_packets += bytes > 100;
    if (Simulator::Now().GetSeconds() >= WARMUP_S)
        ip_bytes += bytes;
}

/* One sender with its own congestion control behind a fast link, and its sink. */
void
AddFlow(const char* control, Ptr<Node> left, Ptr<Node> right, unsigned index)
{
    const uint16_t port = 5000 + index;
    NodeContainer ends(2);
    PointToPointHelper access;
    InternetStackHelper stack;
    Ipv4AddressHelper addresses;
    Ptr<UniformRandomVariable> jitter = CreateObject<UniformRandomVariable>();

    access.SetDeviceAttribute("DataRate", StringValue("1Gbps"));
    access.SetChannelAttribute("Delay", StringValue("1us"));
    stack.Install(ends);
    for (uint32_t i = 0; i < 2; i++)
        ends.Get(i)->GetObject<TcpL4Protocol>()->SetAttribute(
            "SocketType", TypeIdValue(TypeId::LookupByName(control)));

    NetDeviceContainer in = access.Install(ends.Get(0), left);
    NetDeviceContainer out = access.Install(right, ends.Get(1));
    addresses.SetBase(("10.1." + std::to_string(index) + ".0").c_str(), "255.255.255.0");
    addresses.Assign(in);
    addresses.SetBase(("10.2." + std::to_string(index) + ".0").c_str(), "255.255.255.0");
    Ipv4InterfaceContainer there = addresses.Assign(out);

    PacketSinkHelper sink("ns3::TcpSocketFactory",
                          InetSocketAddress(Ipv4Address::GetAny(), port));
    sink.Install(ends.Get(1)).Start(Seconds(0));
    BulkSendHelper source("ns3::TcpSocketFactory",
                          InetSocketAddress(there.GetAddress(1), port));
    ApplicationContainer application = source.Install(ends.Get(0));
    application.Start(Seconds(jitter->GetValue(0, 0.1)));
    application.Stop(Seconds(END_S));
}

Ptr<QueueDisc>
AddBottleneck(const std::string& law, NodeContainer routers)
{
    PointToPointHelper link;
    TrafficControlHelper control;
    Ipv4AddressHelper addresses;

    link.SetDeviceAttribute("DataRate", DataRateValue(DataRate((uint64_t)RATE_BPS)));
    link.SetChannelAttribute("Delay", StringValue("10ms"));
    link.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1p"));
    NetDeviceContainer devices = link.Install(routers);
    control.SetRootQueueDisc("ns3::" + law + "QueueDisc");
    Ptr<QueueDisc> queue = control.Install(devices.Get(0)).Get(0);
    addresses.SetBase("10.0.0.0", "255.255.255.0");
    addresses.Assign(devices);
    queue->TraceConnectWithoutContext("Dequeue", MakeCallback(&HandedOver));
    devices.Get(0)->TraceConnectWithoutContext("PhyTxBegin", MakeCallback(&Begun));
    devices.Get(0)->TraceConnectWithoutContext("PhyTxEnd", MakeCallback(&Sent));
    return queue;
}

void
SetDefaults(int argc, char** argv)
{
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(4 << 20));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(4 << 20));
    Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));
    Config::SetDefault("ns3::TcpSocketBase::UseEcn", StringValue("On"));
    Config::SetDefault("ns3::PieQueueDisc::UseEcn", BooleanValue(true));
    Config::SetDefault("ns3::PieQueueDisc::MeanPktSize", UintegerValue(1500));
    Config::SetDefault("ns3::PieQueueDisc::MaxSize", StringValue("10000p"));
    Config::SetDefault("ns3::CoDelQueueDisc::UseEcn", BooleanValue(true));
    Config::SetDefault("ns3::CoDelQueueDisc::MaxSize", StringValue("10000p"));
    Config::SetDefault("ns3::FqCoDelQueueDisc::UseEcn", BooleanValue(true));
    Config::SetDefault("ns3::FqCoDelQueueDisc::MaxSize", StringValue("10240p"));
    for (int i = 3; i < argc; i++)
    {
        const std::string text = argv[i];
        const size_t at = text.find('=');

        Config::SetDefault("ns3::" + text.substr(0, at), StringValue(text.substr(at + 1)));
    }
}

double
Quantile(double share)
{
    return delays_ms[(size_t)(share * (double)(delays_ms.size() - 1))];
}

} // namespace

int
main(int argc, char** argv)
{
    if (argc < 3)
    {
        std::fprintf(stderr, "usage: ns3_peer Pie|CoDel|FqCoDel SEED [Class::Attribute=VALUE...]\n");
        return 2;
    }
    RngSeedManager::SetRun(std::stoul(argv[2]));
    SetDefaults(argc, argv);

    NodeContainer routers(2);
    InternetStackHelper stack;
    stack.Install(routers);
    Ptr<QueueDisc> queue = AddBottleneck(argv[1], routers);
    const char* controls[] = {"ns3::TcpCubic", "ns3::TcpCubic", "ns3::TcpNewReno",
                              "ns3::TcpNewReno", "ns3::TcpDctcp"};
    for (unsigned i = 0; i < 5; i++)
        AddFlow(controls[i], routers.Get(0), routers.Get(1), i + 1);
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();

    uint64_t marks_before = 0, drops_before = 0;
    Simulator::Schedule(Seconds(WARMUP_S), [&] {
        marks_before = queue->GetStats().nTotalMarkedPackets;
        drops_before = queue->GetStats().nTotalDroppedPackets;
    });
    Simulator::Stop(Seconds(END_S));
    const std::clock_t began = std::clock();
    Simulator::Run();
    const double cpu_s = (double)(std::clock() - began) / CLOCKS_PER_SEC;

    std::sort(delays_ms.begin(), delays_ms.end());
    double sum = 0;
    for (double delay : delays_ms)
        sum += delay;
    std::printf("%.3f %.3f %.3f %.4f %llu %llu %.0f\n", sum / (double)delays_ms.size(),
                Quantile(0.5), Quantile(0.99),
                8.0 * (double)ip_bytes / (RATE_BPS * (END_S - WARMUP_S)),
                (unsigned long long)(queue->GetStats().nTotalMarkedPackets - marks_before),
                (unsigned long long)(queue->GetStats().nTotalDroppedPackets - drops_before),
                (double)data_packets / cpu_s);
    Simulator::Destroy();
    return 0;
}
