#include "client/sized.h"

const char *const sizes[SIZES] = {"small", "medium", "large"};

const struct sized_function sized_functions[] = {
    {"compression",
     "/compression.FileCompress/CompressFile",
     {"CompressFile | file: small | original: 16384 bytes, adler32: ea9cbc92 | compressed: ",
      "CompressFile | file: medium | original: 131072 bytes, adler32: bd7aba16 | compressed: ",
      "CompressFile | file: large | original: 1048576 bytes, adler32: f882e13f | compressed: "}},
    {"crud-api",
     "/crud_api.CrudApi/Handle",
     {"CrudApi | cart: small | items: 10 | one: 3 at 2371 | total: 293504 | crc32: 740946e2 | ",
      "CrudApi | cart: medium | items: 100 | one: 7 at 5699 | total: 2623210 | crc32: f8291ea1 | ",
      "CrudApi | cart: large | items: 1000 | one: 1 at 9349 | total: 24527883 | crc32: 45f8a076 "
      "| "}},
    {"dna-visualisation",
     "/dna_visualisation.DNAVisualisation/Visualise",
     {"DNAVisualisation | sequence: small | points: 2001 | lowest: -38.5 | highest: 1 | end: -30 | "
      "bytes: ",
      "DNAVisualisation | sequence: medium | points: 10001 | lowest: -110.5 | highest: 1 | end: "
      "-52 | bytes: ",
      "DNAVisualisation | sequence: large | points: 40001 | lowest: -110.5 | highest: 73 | end: 24 "
      "| bytes: "}},
    {"dynamic-html",
     "/dynamic_html.DynamicHTML/Render",
     {"DynamicHTML | page: small | bytes: 571 | crc32: 71aaa42a | ",
      "DynamicHTML | page: medium | bytes: 4352 | crc32: f20b2154 | ",
      "DynamicHTML | page: large | bytes: 43023 | crc32: 114f5dcb | "}},
    {"graph-bfs",
     "/graph_bfs.GraphBFSBenchmark/GetBfs",
     {"GraphBFS | graph: small | nodes: 200 | levels: 4 | deepest: 1 | ",
      "GraphBFS | graph: medium | nodes: 2000 | levels: 5 | deepest: 1 | ",
      "GraphBFS | graph: large | nodes: 10000 | levels: 5 | deepest: 225 | "}},
    {"graph-mst",
     "/graph_mst.GraphMST/GetMst",
     {"GraphMST | graph: small | edges: 199 | weight: 31245 | ",
      "GraphMST | graph: medium | edges: 1999 | weight: 317441 | ",
      "GraphMST | graph: large | edges: 9999 | weight: 1561762 | "}},
    {"graph-pagerank",
     "/graph_pagerank.GraphPageRank/GetPageRank",
     {"GraphPageRank | graph: small | best: 1 | score: 0.01599 | ",
      "GraphPageRank | graph: medium | best: 7 | score: 0.00179 | ",
      "GraphPageRank | graph: large | best: 7 | score: 0.00042 | "}},
    {"hotel-profile",
     "/hotel_profile.HotelProfile/GetProfiles",
     {"HotelProfile | hotels: small | profiles: 5 | bytes: 730 | crc32: 395f2c6e | ",
      "HotelProfile | hotels: medium | profiles: 50 | bytes: 7403 | crc32: 5858d564 | ",
      "HotelProfile | hotels: large | profiles: 500 | bytes: 74895 | crc32: f54c47b8 | "}},
    {"hotel-search",
     "/hotel_search.HotelSearch/Nearby",
     {"HotelSearch | search: small | hotels: 5 | nearest: 659 | cheapest: 994 at 107 | total: 1335 "
      "| ",
      "HotelSearch | search: medium | hotels: 20 | nearest: 593 | cheapest: 997 at 124 | total: "
      "5410 | ",
      "HotelSearch | search: large | hotels: 100 | nearest: 350 | cheapest: 225 at 50 | total: "
      "23856 | "}},
    {"image-rotate",
     "/image_rotate.ImageRotate/RotateImage",
     {"ImageRotate | image: small | size: 48x64 | crc32: 02cf5af6 | ",
      "ImageRotate | image: medium | size: 240x320 | crc32: 0effc4b4 | ",
      "ImageRotate | image: large | size: 480x640 | crc32: 06cccd1e | "}},
    {"rnn-serving",
     "/rnn_serving.RNNServing/GenerateString",
     {"RNN-Serving | language:French.n:1 | output:['AVUF.Agt-I.ImBTFJ XV'] | ",
      "RNN-Serving | language:German.n:5 | output:['AIRNhnnUhNJWNsRNeLhN', 'BKhNhNFGsNNuuNhRNNnN', "
      "'ChhahnnF', 'DIRNNnnUuNNNINhNhNnN', 'EIRNNNnoUNoNNNuNeshN'] | ",
      "RNN-Serving | language:Russian.n:20 | output:[\"AbPpfCkEfEcEEjj'o\", "
      "'BKECpBEofycXKjHEjTGx', 'CbPCEcfExvxPtl', \"DnIpfDkERXl'CLvaJrEj\", 'EQPafCBExlfEBDofRBTj', "
      "'FHIpEqkExCBoCBfpBfxB', \"G'jMlWCfCCBpCEfXj'jj\", \"HKECfBkExDD'jjjUooof\", "
      "\"IKP'pEERxPEXjo\", 'JHEppqpcCDkXTJXKjePj', 'KbCpLDEElIxPQkCfEcjE', "
      "\"L'jjuqYXLjDxjTvTvWEC\", 'MHPEEWjjvacfEEBPEQPj', \"NbEpfqpBCCifTBxxjH'X\", 'OnIpfDkE "
      "XlPfPvfEQvW', 'PHPfEcjEvakEcvavCEEa', \"QHPCECRcXqB'CDXjjTjI\", 'RbPCfCEBfEBPjPojooxP', "
      "\"SHppsvkEEEBPXPJ'joRL\", 'THECfmBEfKBXojqAJDDf'] | "},
     .numbered = true},
    {"thumbnailer",
     "/thumbnailer.Thumbnailer/MakeThumbnail",
     {"Thumbnailer | image: small | thumbnail: 128x96 | quarters: 612 152 216 663 | bytes: ",
      "Thumbnailer | image: medium | thumbnail: 128x96 | quarters: 612 152 216 663 | bytes: ",
      "Thumbnailer | image: large | thumbnail: 128x96 | quarters: 612 152 216 663 | bytes: "}},
    {"video-processing",
     "/video_processing.VideoProcessing/ConvertToGrayscale",
     {"VideoProcessing | video: small | frames: 2 | crc32: 1decf4e2 | ",
      "VideoProcessing | video: medium | frames: 10 | crc32: 1b35778e | ",
      "VideoProcessing | video: large | frames: 50 | crc32: 749e4851 | "}},
};

const unsigned sized_function_count = sizeof sized_functions / sizeof *sized_functions;
